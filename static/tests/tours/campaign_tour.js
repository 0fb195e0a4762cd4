/** @odoo-module **/

import { registry } from "@web/core/registry";
import { approveWithout, choose, openApp, openMenu, write } from "./steps";

registry.category("web_tour.tours").add("account_collection_campaign_tour", {
    test: true,
    url: "/web",
    steps: () => [
        ...openApp(),
        ...openMenu("menu_messages", "menu_campaigns"),
        {
            content: "Begin a campaign",
            trigger: ".o_list_button_add",
            run: "click",
        },
        write("name", "Tour statements"),
        ...choose("template_id", "Tour campaign template"),
        ...choose("partner_tag_ids", "Tour tag"),
        {
            content: "Two customers of this tag owe something",
            trigger: ".o_field_widget[name='debtor_count']:contains('2')",
            run() {},
        },
        {
            content: "Keep it",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Look at all of it before anything leaves",
            trigger: ".o_form_statusbar button[name='action_propose']",
            run: "click",
        },
        ...approveWithout("Tour Unwanted", "Tour Wanted"),
    ],
});

registry.category("web_tour.tours").add("account_collection_campaign_chatter_tour", {
    test: true,
    url: "/web",
    steps: () => [
        ...openApp(),
        ...openMenu("menu_customers", "menu_debtors"),
        {
            content: "Open the other one",
            trigger: ".o_data_row:contains('Tour Wanted') td[name='partner_id']",
            run: "click",
        },
        {
            content: "The mail is in its chatter",
            trigger: ".o-mail-Message:contains('Tour campaign subject')",
            run() {},
        },
    ],
});
