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
