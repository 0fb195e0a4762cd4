/** @odoo-module **/

import { registry } from "@web/core/registry";
import { choose, openApp, openMenu, write } from "./steps";

registry.category("web_tour.tours").add("account_collection_check_tour", {
    test: true,
    url: "/web",
    steps: () => [
        ...openApp(),
        ...openMenu("menu_checks", "menu_checks_checks"),
        {
            content: "They are there",
            trigger: ".o_control_panel .o_breadcrumb:contains('Checks')",
            run() {},
        },
        {
            content: "Register it",
            trigger: ".o_list_button_add",
            run: "click",
        },
        write("number", "9001"),
        write("amount", "1000"),
        ...choose("partner_id", "Tour Drawer"),
        ...choose("bank_id", "Banco del Bajio"),
        {
            content: "Let its invoices be suggested",
            trigger: "button[name='action_suggest']",
            run: "click",
        },
        {
            content: "The invoice is there",
            trigger: ".o_field_widget[name='line_ids'] .o_data_row:contains('1,000.00')",
            run() {},
        },
        {
            content: "Receive it",
            trigger: ".o_form_statusbar button[name='action_receive']",
            run: "click",
        },
        {
            content: "It is in custody: deposit it",
            trigger: ".o_form_statusbar button[name='action_deposit']",
            run: "click",
        },
        {
            content: "Deposit",
            trigger: "footer button[name='action_deposit']",
            run: "click",
        },
        {
            content: "The deposit slip is ready",
            trigger: ".alert-success:contains('DEP/')",
            run() {},
        },
        {
            content: "Close",
            trigger: "footer button:contains('Close')",
            run: "click",
        },
        {
            content: "It bounces",
            trigger: "body:not(:has(.modal)) .o_form_statusbar button[name='action_bounce']",
            run: "click",
        },
        {
            content: "What the bank says",
            trigger: ".o_field_widget[name='reason'] input",
            run: "text No funds",
        },
        {
            content: "Register it",
            trigger: "footer button[name='action_bounce']",
            run: "click",
        },
        {
            content: "The form says why, and that a penalty is proposed",
            trigger: "body:not(:has(.modal)) .o_form_view .alert-danger:contains('No funds'):contains('200.00')",
            run() {},
        },
        {
            content: "Another check comes for it",
            trigger: ".o_form_statusbar button[name='action_replace']",
            run: "click",
        },
        {
            content: "Its number",
            trigger: ".o_field_widget[name='number'] input",
            run: "text 9002",
        },
        {
            content: "Replace",
            trigger: "footer button[name='action_replace']",
            run: "click",
        },
        {
            content: "The new check says what it replaces",
            trigger: "body:not(:has(.modal)) .o_form_view .alert-info:contains('Check 9001')",
            run() {},
        },
    ],
});
