/** @odoo-module **/

import { registry } from "@web/core/registry";
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
        this.state = useState({ data: null, loading: false });
        onWillStart(() => this.load(this.remembered));
    }

    // === Filters ===

    get remembered() {
        try {
            return JSON.parse(sessionStorage.getItem(FILTERS_KEY)) || {};
        } catch {
            return {};
        }
    }

    async load(filters) {
        this.state.loading = true;
        try {
            this.state.data = await this.orm.call(MODEL, "get_data", [filters]);
        } catch (error) {
            // What was remembered may be of a company or a person that is gone.
            if (!Object.keys(filters).length) {
                throw error;
            }
            this.state.data = await this.orm.call(MODEL, "get_data", [{}]);
        } finally {
            this.state.loading = false;
        }
        sessionStorage.setItem(FILTERS_KEY, JSON.stringify(this.state.data.filters));
    }

    onFilter(name, event) {
        const value = event.target.value;
        const isId = name.endsWith("_id");
        const changed = { [name]: isId ? Number(value) || false : value };
        if (name === "company_id") {
            changed.collector_id = false;
        }
        return this.load({ ...this.state.data.filters, ...changed });
    }

    async refresh() {
        await this.orm.call(MODEL, "refresh_days", [this.state.data.filters]);
        return this.load(this.state.data.filters);
    }

    // === What is shown ===

    get agingSeries() {
        return [{ label: "", values: this.state.data.aging.amounts, colors: AGES, color: BLUE }];
    }

    get lineSeries() {
        return [{ label: "DSO", values: this.state.data.line.values, color: BLUE }];
    }

    get forecastSeries() {
        const { due, usual } = this.state.data.forecast;
        const [byDue, byHabit] = this.state.data.words.forecast;
        return [
            { label: byDue, values: due, color: BLUE },
            { label: byHabit, values: usual, color: ORANGE },
        ];
    }

    // === Records ===

    async open(key, id = false) {
        const action = await this.orm.call(MODEL, "open_records", [key, this.state.data.filters, id]);
        return this.action.doAction(action);
    }

    onAge(index) {
        return this.open(this.state.data.aging.keys[index]);
    }

    onKey(event, key, id) {
        if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            return this.open(key, id);
        }
    }
}

registry.category("actions").add("account_collection.dashboard", CollectionDashboard);
