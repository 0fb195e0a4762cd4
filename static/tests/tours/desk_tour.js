/** @odoo-module **/

import { stepUtils } from "@web_tour/tour_service/tour_utils";
import { registry } from "@web/core/registry";
import { choose, openApp, tick, write } from "./steps";

const { DateTime } = luxon;
const today = DateTime.now().toFormat("MM/dd/yyyy");

/** A collector's morning: whom to call first and why, what was said, and when to come back to it. */
registry.category("web_tour.tours").add("account_collection_desk_tour", {
    test: true,
    url: "/web",
    steps: () => [
        ...openApp(),
        {
            content: "My day: the one who is late comes first, with the reason",
            trigger: ".o_list_view .o_data_row:contains('Desk Late Payer'):contains('45 days late')",
            run() {
                if (document.body.textContent.includes("Desk Other Payer")) {
                    throw new Error("A debtor of another collector is listed");
                }
            },
        },
        {
            content: "Log a call",
            trigger: ".o_data_row:contains('Desk Late Payer') button[name='action_log_call']",
            run: "click",
        },
        ...choose("outcome_id", "Promised to pay"),
        write("note", "Pays by transfer"),
        tick("with_promise"),
        // All that is overdue is proposed; they promise less.
        write("promise_amount", "600"),
        write("promise_date", today),
        tick("with_follow_up"),
        {
            content: "A date that is filled in shows as a button on 19.0",
            trigger: ".o_form_view .o_field_widget[name='follow_up_date'] :is(input, button)",
            run: "click",
        },
        write("follow_up_date", today),
        tick("follow_up_with_hour"),
        write("follow_up_hour", "12:00"),
        write("follow_up_summary", "Ask for the transfer"),
        {
            content: "Save",
            trigger: "footer button[name='action_log']",
            run: "click",
        },
        {
            content: "Who was spoken to leaves the list",
            trigger: ".o_list_view:not(:has(.o_data_row:contains('Desk Late Payer')))",
            run() {},
        },
        {
            content: "Show them again",
            trigger: ".o_searchview_facet:contains('Not Spoken To Today') .o_facet_remove",
            run: "click",
        },
        {
            content: "Open the debtor",
            trigger: ".o_data_row:contains('Desk Late Payer') td[name='partner_id']",
            run: "click",
        },
        {
            content: "What was said is in the chatter",
            trigger: ".o-mail-Message:contains('Pays by transfer')",
            run() {},
        },
        {
            content: "The follow-up waits there, too",
            trigger: ".o-mail-Activity:contains('Ask for the transfer')",
            run() {},
        },
        {
            content: "The promise is beside the item that it answers for",
            trigger: ".o_field_widget[name='open_line_ids'] .o_data_row:contains('Promised for'):contains('600.00')",
            run() {},
        },
        stepUtils.showAppsMenuItem(),
        {
            content: "Open the calendar",
            trigger: ".o_app[data-menu-xmlid='calendar.mail_menu_calendar']",
            run: "click",
        },
        {
            content: "The follow-up is in it",
            trigger: ".fc-event:contains('Ask for the transfer')",
            run() {},
        },
    ],
});
