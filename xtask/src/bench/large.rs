//! Schemas as large as one likes.

use std::fmt::Write as _;

/// Resources in a chain, each with a dozen fields, rules and indexes.
pub(super) fn schema(resources: usize) -> String {
    let mut yaml = String::from("service: large\nmanaged: true\nresources:\n");
    for number in 1..=resources {
        let _ = write!(
            yaml,
            "  Thing{number}:\n    sort: -created_at\n    fields:\n      name: {{ type: string, length: 1..80, unique: true }}\n      \
             note: {{ type: text, optional: true }}\n      state: {{ type: enum, values: [draft, ready, done], default: draft, index: true }}\n      \
             price: {{ type: decimal, precision: 10, scale: 2, optional: true }}\n      amount: {{ type: integer, default: 0, range: 0..100000 }}\n      \
             active: {{ type: boolean, default: true }}\n      day: {{ type: date, optional: true, index: true }}\n      \
             created_at: {{ type: timestamp, default: now, readonly: true, index: true }}\n"
        );
        if number > 1 {
            let before = number - 1;
            let _ = writeln!(
                yaml,
                "    belongs_to:\n      before: {{ to: Thing{before}, inverse: after, optional: true }}"
            );
        }
        yaml.push_str(
            "    access: { read: state != 'draft' or active, create: public, change: state = 'draft' }\n",
        );
    }
    yaml
}
