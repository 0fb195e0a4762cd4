/** @odoo-module **/

import { registry } from "@web/core/registry";
import { approveWithout, openApp, openMenu } from "./steps";

registry.category("web_tour.tours").add("account_collection_tour", {
    test: true,
    url: "/web",
    steps: () => [
        ...openApp(),
        ...openMenu("menu_customers", "menu_debtors"),
        {
            content: "The overdue ones are shown, and nobody else",
            trigger: ".o_list_view .o_data_row:contains('Tour Late Payer')",
            run() {
                if (document.body.textContent.includes("Tour Good Payer")) {
                    throw new Error("A customer that owes nothing overdue is listed");
                }
            },
        },
        {
            content: "Remove the filter",
            trigger: ".o_searchview_facet:contains('Overdue') .o_facet_remove",
            run: "click",
        },
        {
            content: "The others come",
            trigger: ".o_list_view .o_data_row:contains('Tour Good Payer')",
            run() {},
        },
        {
            content: "Open the debtor",
            trigger: ".o_data_row:contains('Tour Late Payer') td[name='partner_id']",
            run: "click",
        },
        {
            content: "Read what is overdue",
            trigger: ".o_form_view [name='balances'] .o_field_widget[name='overdue']:contains('1,500.00')",
            run() {},
        },
        {
            content: "Read its open items",
            trigger: ".o_field_widget[name='open_line_ids'] .o_data_row:contains('500.00')",
            run() {
                const rows = document.querySelectorAll(".o_field_widget[name='open_line_ids'] .o_data_row");
                if (rows.length !== 2) {
                    throw new Error(`2 open items are expected, ${rows.length} are shown`);
                }
            },
        },
        {
            content: "Its notice is in the chatter",
            trigger: ".o-mail-Message:contains('Tour subject')",
            run() {},
        },
        ...openMenu("menu_messages", "menu_runs"),
        {
            content: "Open the proposal",
            trigger: ".o_list_view .o_data_row:contains('Proposal') td[name='date']",
            run: "click",
        },
        ...approveWithout("Tour Removed", "Tour Approved"),
    ],
});
