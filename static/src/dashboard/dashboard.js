/** @odoo-module **/

import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { Component, onWillStart, useState } from "@odoo/owl";

import { DashboardChart } from "./dashboard_chart";

const MODEL = "collection.dashboard";
const FILTERS_KEY = "account_collection.dashboard";
/** From not due to the latest. */
const AGES = ["#2f9e6e", "#f2c14e", "#f29f4e", "#e4703d", "#c0392b"];
const BLUE = "#35637c";
const ORANGE = "#e08e45";

/** What a manager, or a collector of the own debtors, looks at first. One call brings all of it. */
export class CollectionDashboard extends Component {
    static template = "account_collection.Dashboard";
    static components = { DashboardChart, Layout };
    static props = ["*"];

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.state = useState({ loading: false });
        this.keepLast = new KeepLast();
        this.data = null;
        this.filters = {};
        onWillStart(() => this.load(this.remembered));
    }

    // === Filters ===

    /** How the person looked last at whatever company is chosen now. */
    get remembered() {
        try {
            const { period, compare } = JSON.parse(sessionStorage.getItem(FILTERS_KEY)) || {};
            return { period, compare };
        } catch {
            return {};
        }
    }

    async load(changed) {
        this.filters = { ...this.filters, ...changed };
        this.state.loading = true;
        try {
            this.data = await this.keepLast.add(this.orm.call(MODEL, "get_data", [this.filters]));
            this.series = this.getSeries();
            this.filters = this.data.filters;
            sessionStorage.setItem(FILTERS_KEY, JSON.stringify(this.filters));
        } finally {
            this.state.loading = false;
        }
    }

    onFilter(name, event) {
        const value = event.target.value;
        if (name === "company_id") {
            return this.load({ company_id: Number(value), collector_id: false });
        }
        return this.load({ [name]: name === "collector_id" ? Number(value) || false : value });
    }

    async refresh() {
        await this.orm.call(MODEL, "refresh_days", [this.filters]);
        return this.load({});
    }

    // === What is shown ===

    /** Of each chart; made once, so that a chart is drawn anew with new data alone. */
    getSeries() {
        const { aging, forecast, line, words } = this.data;
        const [byDue, byHabit] = words.forecast;
        return {
            aging: [{ label: words.aging, values: aging.amounts, colors: AGES, color: BLUE }],
            line: [{ label: words.line, values: line.values, color: BLUE }],
            forecast: [
                { label: byDue, values: forecast.due, color: BLUE },
                { label: byHabit, values: forecast.usual, color: ORANGE },
            ],
        };
    }

    // === Records ===

    async open(key, id = false) {
        const action = await this.orm.call(MODEL, "open_records", [key, this.filters, id]);
        return this.action.doAction(action);
    }

    onAge(index) {
        return this.open(this.data.aging.keys[index]);
    }
}

registry.category("actions").add("account_collection.dashboard", CollectionDashboard);
