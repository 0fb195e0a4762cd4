/** @odoo-module **/

import { stepUtils } from "@web_tour/tour_service/tour_utils";

/** Steps from any screen of the client to the add-on's own. */
export function openApp() {
    return [
        stepUtils.showAppsMenuItem(),
        {
            content: "Open the app",
            trigger: ".o_app[data-menu-xmlid='account_collection.menu_root']",
            run: "click",
        },
    ];
}

/** Steps from the app to an entry of one of its menus. */
export function openMenu(section, entry) {
    return [
        {
            content: `Open the menu ${section}`,
            trigger: `button[data-menu-xmlid='account_collection.${section}']`,
            run: "click",
        },
        {
            content: `Choose ${entry}`,
            trigger: `.dropdown-item[data-menu-xmlid='account_collection.${entry}']`,
            run: "click",
        },
    ];
}

/** A step that writes into a field. */
export function write(field, text) {
    return {
        content: `Write ${text}`,
        trigger: `.o_form_view .o_field_widget[name='${field}'] :is(input, textarea)`,
        run: `text ${text}`,
    };
}

/** A step that ticks a box. */
export function tick(field) {
    return {
        content: `Tick ${field}`,
        trigger: `.o_form_view .o_field_widget[name='${field}'] input`,
        run: "click",
    };
}

/** Steps that choose a record, by its name, in a field. */
export function choose(field, name) {
    return [
        write(field, name),
        {
            content: `Choose ${name}`,
            trigger: `.ui-menu-item > a:contains('${name}'), .o-autocomplete--dropdown-item a:contains('${name}')`,
            run: "click",
        },
    ];
}

/** Steps in a proposed run: take one customer's notice out and approve the others, of whom one is queued. */
export function approveWithout(removed, kept) {
    const row = (customer) => `.o_field_widget[name='notice_ids'] .o_data_row:contains('${customer}')`;
    return [
        {
            content: "Take one notice out",
            trigger: `${row(removed)} button[name='action_cancel']`,
            run: "click",
        },
        {
            content: "It is cancelled",
            trigger: `${row(removed)}:contains('Cancelled')`,
            run() {},
        },
        {
            content: "Approve what is left",
            trigger: ".o_form_statusbar button[name='action_approve']",
            run: "click",
        },
        {
            content: "Confirm",
            trigger: ".modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "It is approved",
            trigger: ".o_form_statusbar:has(.o_arrow_button_current:contains('Approved'))",
            run() {},
        },
        {
            content: "What was not taken out is queued",
            trigger: `${row(kept)}:contains('Queued')`,
            run() {},
        },
    ];
}
