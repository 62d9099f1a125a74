//! Renders runs, agents and statistics as tables.

use super::Context;
use super::card::{model, own_facts};
use super::grid::{Column, grid};
use crate::core::facts::Facts;
use crate::core::stats::Group;
use crate::model::{Document, Run, time};
use crate::text::duration::format_ns;
use crate::text::page::Page;
use crate::text::time::{age, rfc3339};

/// The most columns of an id: enough for the longest valid one.
const ID_MAX: usize = 68;

/// The most columns of any other cell.
const CELL_MAX: usize = 24;

/// Renders runs as a table. An empty list gives an empty page.
pub fn runs_table<'a>(runs: impl IntoIterator<Item = &'a Run>, ctx: &Context) -> Page {
    let rows: Vec<(&Run, Facts)> = runs.into_iter().map(|run| (run, own_facts(run))).collect();
    let column = |title, rank, cell: &dyn Fn(&Run, &Facts) -> String| {
        let cells = rows.iter().map(|(run, facts)| cell(run, facts)).collect();
        Column { title, rank, ids: is_id(title), cells }
    };
    let created = if ctx.style.utc { "created" } else { "age" };
    let columns = [
        column("run", 0, &|run, _| ctx.cell(run.id().as_str(), ID_MAX)),
        column("agent", 6, &|run, _| ctx.cell(run.agent_id().unwrap_or_default(), ID_MAX)),
        column("status", 1, &|run, _| ctx.cell(run.status().as_str(), CELL_MAX)),
        column("stop reason", 2, &|run, _| {
            run.stop_reason().map(|it| ctx.cell(it.as_str(), CELL_MAX)).unwrap_or_default()
        }),
        column(created, 4, &|run, _| short_time(run.document(), ctx)),
        column("duration", 3, &|_, facts| format_ns(facts.duration_ns)),
        column("ttft", 5, &|_, facts| format_ns(facts.ttft_ns)),
    ];
    grid(&columns, ctx)
}

/// Renders agents as a table. An empty list gives an empty page.
pub fn agents_table(agents: &[Document], ctx: &Context) -> Page {
    let column = |title, rank, cell: &dyn Fn(&Document) -> String| {
        let cells = agents.iter().map(cell).collect();
        Column { title, rank, ids: is_id(title), cells }
    };
    let columns = [
        column("agent", 0, &|agent| ctx.cell(agent.text("id").unwrap_or_default(), ID_MAX)),
        column("name", 1, &|agent| ctx.cell(agent.text("name").unwrap_or_default(), CELL_MAX)),
        column("model", 2, &|agent| ctx.cell(model(agent).unwrap_or_default(), CELL_MAX)),
        column(if ctx.style.utc { "created" } else { "age" }, 3, &|agent| short_time(agent, ctx)),
    ];
    grid(&columns, ctx)
}

/// Renders the figures of runs, one row for each stop reason. An empty list gives an empty page.
pub fn stats_table(groups: &[Group], ctx: &Context) -> Page {
    // Rows are compared by all figures, so no column is dropped: if they do not fit, each row becomes a stack.
    let column = |title, rank, cell: &dyn Fn(&Group) -> String| {
        let cells = groups.iter().map(cell).collect();
        Column { title, rank, ids: false, cells }
    };
    let columns = [
        column("stop reason", 0, &|group| ctx.cell(group.stop_reason.as_deref().unwrap_or("not stopped"), CELL_MAX)),
        column("runs", 1, &|group| group.runs.to_string()),
        column("ttft p50", 1, &|group| format_ns(group.ttft_ns.p50)),
        column("p95", 1, &|group| format_ns(group.ttft_ns.p95)),
        column("max", 1, &|group| format_ns(group.ttft_ns.max)),
        column("duration p50", 1, &|group| format_ns(group.duration_ns.p50)),
        column("p95", 1, &|group| format_ns(group.duration_ns.p95)),
        column("max", 1, &|group| format_ns(group.duration_ns.max)),
    ];
    grid(&columns, ctx)
}

fn is_id(title: &str) -> bool {
    matches!(title, "run" | "agent")
}

fn short_time(document: &Document, ctx: &Context) -> String {
    match document.text("created_at").and_then(time::parse) {
        Some(at) if ctx.style.utc => rfc3339(at),
        Some(at) => age(at, ctx.now),
        None => "n/a".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::stats::Percentiles;
    use crate::render::samples::{RUN, context, run};
    use proptest::prelude::*;
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    fn runs() -> [Run; 2] {
        [run(json!({})), run(json!({"id": "run-12345678", "status": "走る", "stop_reason": null, "ttft_ns": null}))]
    }

    #[test]
    fn without_a_width_every_column_is_shown() {
        insta::assert_snapshot!(runs_table(&runs(), &context(None)).text(false), @"
        run                                       agent                                       status     stop reason  age  duration  ttft
        run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77  agent-11111111-1111-4111-8111-111111111111  completed  end_turn     3 m  4.2 s     310 ms
        run-12345678                              agent-11111111-1111-4111-8111-111111111111  走る                    3 m  4.2 s     n/a
        ");
    }

    #[test]
    fn at_eighty_columns_the_least_important_columns_are_dropped() {
        insta::assert_snapshot!(runs_table(&runs(), &context(Some(80))).text(false), @"
        run                                       status     stop reason  age  duration
        run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77  completed  end_turn     3 m  4.2 s
        run-12345678                              走る                    3 m  4.2 s
        ");
    }

    #[test]
    fn at_forty_columns_rows_become_stacks_with_whole_ids() {
        insta::assert_snapshot!(runs_table(&runs(), &context(Some(40))).text(false), @"
        run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77
          agent-11111111-1111-4111-8111-111111111111
          status completed
          stop reason end_turn · age 3 m
          duration 4.2 s · ttft 310 ms
        run-12345678
          agent-11111111-1111-4111-8111-111111111111
          status 走る · age 3 m · duration 4.2 s
          ttft n/a
        ");
    }

    #[test]
    fn statistics_have_one_row_for_each_stop_reason() {
        let second = 1_000_000_000;
        let group = |reason: Option<&str>, runs, ttft: &[u64], duration: &[u64]| Group {
            stop_reason: reason.map(str::to_owned),
            runs,
            ttft_ns: Percentiles::of(ttft.to_vec()),
            duration_ns: Percentiles::of(duration.to_vec()),
        };
        let slow = [second, 2 * second, 190 * second];
        let groups = [group(Some("end_turn"), 3, &[310_000_000], &slow), group(None, 1, &[], &[])];
        insta::assert_snapshot!(stats_table(&groups, &context(Some(80))).text(false), @"
        stop reason  runs  ttft p50  p95     max     duration p50  p95       max
        end_turn     3     310 ms    310 ms  310 ms  2.0 s         3 m 10 s  3 m 10 s
        not stopped  1     n/a       n/a     n/a     n/a           n/a       n/a
        ");
        insta::assert_snapshot!(stats_table(&groups, &context(Some(40))).text(false), @"
        end_turn
          runs 3 · ttft p50 310 ms · p95 310 ms
          max 310 ms · duration p50 2.0 s
          p95 3 m 10 s · max 3 m 10 s
        not stopped
          runs 1 · ttft p50 n/a · p95 n/a
          max n/a · duration p50 n/a · p95 n/a
          max n/a
        ");
    }

    #[test]
    fn agents_are_listed_with_their_ids_and_an_empty_list_renders_nothing() {
        let agents = [Document::from_value(json!({"id": "agent-1", "name": "a\u{1b}[31m\nb", "model": "m"}))];
        insta::assert_snapshot!(agents_table(&agents, &context(Some(80))).text(false), @r"
        agent    name           model  age
        agent-1  a\u{1b}[31m b  m      n/a
        ");
        assert!(agents_table(&[], &context(None)).is_empty());
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_no_id_is_cut(status: String, reason: String, columns in 40usize..120, ascii: bool) {
            let run = run(json!({"status": status, "stop_reason": reason}));
            let mut ctx = context(Some(columns));
            ctx.style.ascii = ascii;
            let text = runs_table([&run], &ctx).text(false);
            prop_assert!(text.contains(RUN));
            for line in text.lines().filter(|line| *line != RUN && !line.starts_with("  agent-")) {
                prop_assert!(line.width() <= columns, "{line:?}");
            }
            prop_assert!(!text.chars().any(crate::text::show::is_hidden));
        }
    }
}
