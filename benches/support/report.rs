//! What a benchmark prints: a table of medians with their spread, then a JSON line for each row, then ratios and goals.

use serde_json::{Value, json};

/// The median, the least and the greatest of some values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        Self {
            median: values[values.len() / 2],
            least: values[0],
            greatest: values[values.len() - 1],
        }
    }
}

/// The report of one benchmark. Rows are printed as they come, the rest by [`Report::finish`].
pub(crate) struct Report {
    bench: &'static str,
    lines: Vec<Value>,
    conclusions: Vec<String>,
}

impl Report {
    /// Prints the head of the table.
    pub(crate) fn new(bench: &'static str) -> Self {
        println!(
            "{:<64} {:<11} {:>10} {:>22}",
            "figure", "of", "median", "least–greatest"
        );
        Self {
            bench,
            lines: Vec::new(),
            conclusions: Vec::new(),
        }
    }

    /// Prints a row: the values of a figure in several rounds. Returns their spread.
    pub(crate) fn row(&mut self, figure: &str, of: &str, unit: &str, values: &[f64]) -> Spread {
        let spread = Spread::of(values);
        println!(
            "{:<64} {of:<11} {:>10.2} {:>22}",
            format!("{figure}, {unit}"),
            spread.median,
            format!("{:.2}–{:.2}", spread.least, spread.greatest)
        );
        self.lines.push(json!({
            "bench": self.bench, "figure": figure, "of": of, "unit": unit, "rounds": values.len(),
            "median": spread.median, "least": spread.least, "greatest": spread.greatest,
        }));
        spread
    }

    /// Notes the ratio of two medians.
    pub(crate) fn ratio(&mut self, figure: &str, one: Spread, other: Spread) -> f64 {
        let ratio = one.median / other.median;
        self.conclude(figure, "ratio", ratio, None);
        ratio
    }

    /// Notes a value that must not be above its goal.
    pub(crate) fn at_most(&mut self, figure: &str, unit: &str, value: f64, goal: f64) {
        let verdict = verdict(value <= goal);
        self.conclude(
            figure,
            unit,
            value,
            Some(format!("goal ≤ {goal}: {verdict}")),
        );
    }

    /// Notes a value that must not be below its goal.
    pub(crate) fn at_least(&mut self, figure: &str, unit: &str, value: f64, goal: f64) {
        let verdict = verdict(value >= goal);
        self.conclude(
            figure,
            unit,
            value,
            Some(format!("goal ≥ {goal}: {verdict}")),
        );
    }

    fn conclude(&mut self, figure: &str, unit: &str, value: f64, goal: Option<String>) {
        self.lines.push(json!({
            "bench": self.bench, "figure": figure, "unit": unit, "value": value, "goal": goal,
        }));
        let goal = goal.map(|goal| format!(" ({goal})")).unwrap_or_default();
        self.conclusions
            .push(format!("{figure}, {unit}: {value:.2}{goal}"));
    }

    /// Prints the JSON lines, then the ratios and goals.
    pub(crate) fn finish(self) {
        self.lines.iter().for_each(|line| println!("{line}"));
        self.conclusions
            .iter()
            .for_each(|conclusion| println!("{conclusion}"));
    }
}

fn verdict(is_reached: bool) -> &'static str {
    if is_reached { "reached" } else { "missed" }
}
