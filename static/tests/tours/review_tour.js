/** @odoo-module **/

import { registry } from "@web/core/registry";
import { openApp, openMenu } from "./steps";

registry.category("web_tour.tours").add("account_collection_review_tour", {
    test: true,
    url: "/web",
    steps: () => [
        ...openApp(),
        ...openMenu("menu_customers", "menu_debtors"),
        {
            content: "Remove the filter",
            trigger: ".o_searchview_facet:contains('Overdue') .o_facet_remove",
            run: "click",
        },
        {
            content: "Open the debtor",
            trigger: ".o_data_row:contains('Tour Reviewer') td[name='partner_id']",
            run: "click",
        },
        {
            content: "Look at when it reviews and pays",
            trigger: ".o_notebook .nav-link[name='credit_days']",
            run: "click",
        },
        {
            content: "Set it up",
            trigger: "button[name='action_open_credit_days']",
            run: "click",
        },
        {
            content: "Its credit counts from the review",
            trigger: ".o_field_widget[name='collection_credit_basis'] input[data-value='review']",
            run: "click",
        },
        {
            content: "Look at its reviews",
            trigger: ".o_notebook .nav-link[name='review']",
            run: "click",
        },
        {
            content: "Add a review window: Mondays, as proposed",
            trigger: ".o_field_widget[name='collection_review_window_ids'] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            content: "It opens at nine",
            trigger: ".o_field_widget[name='collection_review_window_ids'] .o_selected_row [name='hour_from'] input",
            run: "text 9:00",
        },
        {
            content: "It closes at one",
            trigger: ".o_field_widget[name='collection_review_window_ids'] .o_selected_row [name='hour_to'] input",
            run: "text 13:00",
        },
        {
            content: "Save",
            trigger: "footer button.btn-primary:contains('Save')",
            run: "click",
        },
        {
            content: "The summary reads well",
            trigger: "body:not(:has(.modal)) .o_field_widget[name='credit_summary']:contains('Reviews Mon 9-13')",
            run() {},
        },
        {
            content: "Open its invoices",
            trigger: "button[name='action_open_invoices']",
            run: "click",
        },
        {
            content: "Open the draft",
            trigger: ".o_list_view .o_data_row:contains('500.00') td[name='name']",
            run: "click",
        },
        {
            content: "Its due date is an estimate already",
            trigger: ".o_form_view [name='collection_due_reason']:contains('Review planned for')",
            run() {},
        },
        {
            content: "Post it",
            trigger: ".o_form_statusbar button[name='action_post']",
            run: "click",
        },
        {
            content: "Register its review",
            trigger: ".o_form_statusbar button[name='action_register_review']",
            run: "click",
        },
        {
            content: "Write the number of the receipt",
            trigger: ".o_field_widget[name='receipt_number'] input",
            run: "text CR-2026",
        },
        {
            content: "Register",
            trigger: "footer button[name='action_register']",
            run: "click",
        },
        {
            content: "The due date counts from the review",
            trigger: "body:not(:has(.modal)) .o_form_view [name='collection_due_reason']:contains('Reviewed on')",
            run() {},
        },
        {
            content: "The chatter says so",
            trigger: ".o-mail-Message:contains('receipt CR-2026')",
            run() {},
        },
    ],
});
