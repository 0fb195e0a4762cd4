/** @odoo-module **/

import { registry } from "@web/core/registry";
import { FloatField, floatField } from "@web/views/fields/float/float_field";
import { formatFloat } from "@web/views/fields/formatters";

const NOTHING = "—";

/**
 * A percentage; a dash where it is one of nothing, which is neither good nor bad. The option "of" names the field of
 * the whole. Groups have no value then.
 */
export class RateField extends FloatField {
    get formattedValue() {
        return this.props.record.data[this.props.of] ? super.formattedValue : NOTHING;
    }
}
RateField.props = { ...FloatField.props, of: { type: String } };

export const rateField = {
    ...floatField,
    component: RateField,
    extractProps: (info, ...more) => ({ ...floatField.extractProps(info, ...more), of: info.options.of }),
};

registry.category("fields").add("collection_rate", rateField);
registry
    .category("formatters")
    .add("collection_rate", (value, options) => (typeof value === "number" ? formatFloat(value, options) : NOTHING));
