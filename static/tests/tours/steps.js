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
