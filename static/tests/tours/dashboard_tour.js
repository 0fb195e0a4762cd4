/** @odoo-module **/

import { registry } from "@web/core/registry";
import { openApp } from "./steps";

const TILE = ".o_collection_dashboard .o_collection_tile";

/** A manager opens the app, finds what is late and who is behind it, and looks at another period. */
registry.category("web_tour.tours").add("account_collection_dashboard_tour", {
    test: true,
    url: "/web",
    steps: () => [
        ...openApp(),
        {
            content: "The app opens on the figures; what is overdue opens its debtors",
            trigger: `${TILE}[name='overdue']:contains('1,500.00')`,
            run: "click",
        },
        {
            content: "Those that are late are listed, and no other",
            trigger: ".o_list_view .o_data_row:contains('Dashboard Late Payer')",
            run() {
                if (document.body.textContent.includes("Dashboard Good Payer")) {
                    throw new Error("A debtor that is not late is listed");
                }
            },
        },
        {
            content: "Go back",
            trigger: ".breadcrumb-item a, .o_back_button",
            run: "click",
        },
        {
            content: "The charts are drawn; look at the last twelve months",
            trigger: ".o_collection_dashboard select[name='period']",
            run() {
                const select = document.querySelector(".o_collection_dashboard select[name='period']");
                select.value = "twelve_months";
                select.dispatchEvent(new Event("change", { bubbles: true }));
            },
        },
        {
            content: "What came in since",
            trigger: `${TILE}[name='received']:contains('200.00')`,
            run() {
                const drawn = document.querySelectorAll(".o_collection_chart canvas");
                if (drawn.length !== 3 || !Array.from(drawn).every((canvas) => canvas.width > 0)) {
                    throw new Error("A chart is missing");
                }
            },
        },
        {
            content: "A collector's debtors are one click away",
            trigger: ".o_collection_dashboard .card[name='collectors'] tbody tr:contains('Nobody')",
            run: "click",
        },
        {
            content: "They are listed",
            trigger: ".o_list_view .o_data_row:contains('Dashboard Good Payer') td[name='partner_id']",
            run: "click",
        },
        {
            content: "Each opens",
            trigger: ".o_form_view:contains('Dashboard Good Payer')",
            run: () => {},
        },
    ],
});
