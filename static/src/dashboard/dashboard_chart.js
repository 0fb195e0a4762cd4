/** @odoo-module **/

import { loadBundle } from "@web/core/assets";
import { Component, onWillStart, useEffect, useRef } from "@odoo/owl";

/** A chart of Odoo's own Chart.js: bars or a line of one or more series, each a label and its values. */
export class DashboardChart extends Component {
    static template = "account_collection.DashboardChart";
    static props = {
        type: String,
        labels: Array,
        series: Array,
        title: String,
        onChosen: { type: Function, optional: true },
    };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(() => {
            const chart = new Chart(this.canvas.el, this.config);
            return () => chart.destroy();
        }, () => [this.props.series]);
    }

    get config() {
        const single = this.props.series.length === 1;
        return {
            type: this.props.type,
            data: {
                labels: this.props.labels,
                datasets: this.props.series.map((series) => ({
                    label: series.label,
                    data: series.values,
                    backgroundColor: series.colors || series.color,
                    borderColor: series.color,
                    borderWidth: this.props.type === "line" ? 2 : 0,
                    pointRadius: 3,
                    spanGaps: true,
                    tension: 0.2,
                })),
            },
            options: {
                animation: false,
                responsive: true,
                maintainAspectRatio: false,
                plugins: { legend: { display: !single, position: "bottom" } },
                scales: { x: { grid: { display: false } }, y: { beginAtZero: true } },
                onClick: (_event, elements) => {
                    if (elements.length && this.props.onChosen) {
                        this.props.onChosen(elements[0].index);
                    }
                },
            },
        };
    }
}
