//! Tests of lists: filters, cursors, order.

use futures_util::StreamExt as _;

use super::*;

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn cursors_of_runs_page_forward_in_both_orders() {
    let server = Server::start(Store::Memory, false).await;
    let agent = server.agent("agentctl/echo").await;
    let mut sent = Vec::new();
    for n in 0..5 {
        sent.push(server.send(&agent, json!({"input": format!("{n}")})).await.as_str().to_owned());
    }
    for order in ["asc", "desc"] {
        let mut seen: Vec<String> = Vec::new();
        loop {
            let after = seen.last().map(|id| format!("&after={id}")).unwrap_or_default();
            let page = server.get(&format!("/v1/runs/?limit=2&order={order}{after}")).await;
            if ids(&page).is_empty() {
                break;
            }
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            assert!(seen.len() <= 5, "{seen:?}");
        }
        if order == "desc" {
            seen.reverse();
        }
        assert_eq!(seen, sent, "{order}");
    }
    let back = server.get(&format!("/v1/runs/?limit=2&order=asc&before={}", sent[3])).await;
    assert_eq!(ids(&back), [&sent[1], &sent[2]]);
    let between = server.get(&format!("/v1/runs/?after={}&before={}", sent[4], sent[1])).await;
    assert_eq!(ids(&between), [&sent[3], &sent[2]]);
    let unknown = server.get(&format!("/v1/runs/?limit=1&after={}", RunId::random())).await;
    assert_eq!(ids(&unknown), [&sent[4]]);
}

#[tokio::test]
async fn runs_are_filtered_by_every_documented_parameter() {
    let server = Server::in_memory().await;
    let one = server.scripted().await;
    let two = server.scripted().await;
    let done = server.run(&one, "@reply a").await;
    let failed = server.run(&two, "@fail x").await;
    let hung = server.send(&two, json!({"input": "@hang"})).await;
    server.until(&hung, "running").await;
    let done = done["id"].as_str().expect("an id");
    let failed = failed["id"].as_str().expect("an id");
    let hung = hung.as_str();
    for (query, expected) in [
        (String::new(), vec![hung, failed, done]),
        (format!("agent_id={one}"), vec![done]),
        (format!("agent_id={one}&agent_ids={two}"), vec![done]),
        (format!("agent_ids={one}&agent_ids={two}"), vec![hung, failed, done]),
        ("agent_id=nonsense".to_owned(), vec![]),
        ("statuses=completed&statuses=failed".to_owned(), vec![failed, done]),
        ("active=true".to_owned(), vec![hung]),
        ("active=true&statuses=failed".to_owned(), vec![failed]),
        ("background=true".to_owned(), vec![hung, failed, done]),
        ("background=false".to_owned(), vec![]),
        ("stop_reason=end_turn".to_owned(), vec![done]),
        ("conversation_id=conv-1".to_owned(), vec![]),
        ("ascending=true&limit=1".to_owned(), vec![done]),
        ("order=asc".to_owned(), vec![done, failed, hung]),
    ] {
        assert_eq!(ids(&server.get(&format!("/v1/runs/?{query}")).await), expected, "{query}");
    }
    assert_eq!(ids(&server.get(&format!("/v1/runs/active?agent_id={two}")).await), [hung]);
}

#[tokio::test]
async fn a_page_filtered_by_every_agent_and_status_equals_the_unfiltered_page() {
    let server = Server::in_memory().await;
    let mut agents = Vec::new();
    for n in 0..3 {
        let agent = server.scripted().await;
        for text in ["@reply a", "@fail x", "@reply b"] {
            server.run(&agent, &format!("{text}{n}")).await;
        }
        agents.push(agent);
    }
    let pairs: String = agents.iter().map(|agent| format!("&agent_ids={agent}")).collect();
    let all = server.get("/v1/runs/").await;
    let middle = ids(&all)[4];
    for query in ["limit=4", "limit=4&order=asc", "limit=2&after=", "limit=2&before=", "limit=2&order=asc&before="] {
        let query = if query.ends_with('=') { format!("{query}{middle}") } else { query.to_owned() };
        let expected = server.get(&format!("/v1/runs/?{query}")).await;
        let found = server.get(&format!("/v1/runs/?{query}{pairs}&statuses=completed&statuses=failed")).await;
        assert_eq!(ids(&found), ids(&expected), "{query}");
    }
}

#[tokio::test]
async fn agents_are_filtered_by_name_tag_and_text_and_paged() {
    let server = Server::start(Store::Memory, false).await;
    let mut made = Vec::new();
    for (name, tag) in [("default", "a"), ("Other one", "b"), ("other two", "a")] {
        let agent = server.post("/v1/agents/", json!({"name": name, "tags": [tag]})).await;
        made.push(agent["id"].as_str().expect("an id").to_owned());
    }
    let [one, two, three] = [made[0].as_str(), made[1].as_str(), made[2].as_str()];
    for (query, expected) in [
        (String::new(), vec![three, two, one]),
        ("name=default".to_owned(), vec![one]),
        ("name=defaul".to_owned(), vec![]),
        ("query_text=OTHER".to_owned(), vec![three, two]),
        ("tags=a".to_owned(), vec![three, one]),
        ("tags=a&tags=b&limit=2".to_owned(), vec![three, two]),
        (format!("limit=1&after={three}"), vec![two]),
        (format!("limit=1&before={one}"), vec![two]),
        ("order=asc&limit=1".to_owned(), vec![one]),
    ] {
        assert_eq!(ids(&server.get(&format!("/v1/agents/?{query}")).await), expected, "{query}");
    }
    assert_eq!(server.get("/v1/agents/count").await, json!(3));
}

/// Makes a run with four messages; returns its id, theirs, oldest first, and the paths that list them.
async fn four_messages(server: &Server) -> (String, Vec<String>, [String; 2]) {
    let agent = server.scripted().await;
    let run = server.run(&agent, "@reply a\n@repeat 3").await;
    let id = run["id"].as_str().expect("an id").to_owned();
    let all = server.get(&format!("/v1/runs/{id}/messages")).await;
    let messages = ids(&all).into_iter().map(str::to_owned).collect();
    let lists = [format!("/v1/runs/{id}/messages"), format!("/v1/agents/{agent}/messages")];
    (id, messages, lists)
}

#[tokio::test]
async fn cursors_of_messages_and_steps_page_forward() {
    let server = Server::in_memory().await;
    let (id, m, lists) = four_messages(&server).await;
    for list in &lists {
        for (query, expected) in [
            (format!("order=asc&after={}&limit=2", m[0]), vec![&m[1], &m[2]]),
            (format!("order=desc&after={}&limit=2", m[3]), vec![&m[2], &m[1]]),
            (format!("order=asc&before={}&limit=2", m[3]), vec![&m[1], &m[2]]),
            (format!("order=desc&before={}&limit=2", m[0]), vec![&m[2], &m[1]]),
            (format!("order=desc&after={}", m[0]), vec![]),
            ("limit=0".to_owned(), vec![]),
        ] {
            assert_eq!(ids(&server.get(&format!("{list}?{query}")).await), expected, "{list}?{query}");
        }
    }
    let newest = server.get(&format!("{}?limit=1", lists[1])).await;
    assert_eq!(ids(&newest), [&m[3]]);
    let steps = server.get(&format!("/v1/runs/{id}/steps")).await;
    let next = server.get(&format!("/v1/runs/{id}/steps?limit=1&after={}", ids(&steps)[0])).await;
    assert_eq!(ids(&next), [ids(&steps)[1]]);
    for path in ["messages?after=zzz", "steps?after=zzz"] {
        let (status, body) = server.call("GET", &format!("/v1/runs/{id}/{path}"), Body::empty()).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
    }
}

#[tokio::test]
async fn with_quirks_message_cursors_mean_newer_and_older() {
    let server = Server::quirky().await;
    let (_, m, [of_run, _]) = four_messages(&server).await;
    for (query, expected) in [
        (format!("order=desc&after={}&limit=2", m[0]), vec![&m[3], &m[2]]),
        (format!("order=asc&before={}&limit=2", m[3]), vec![&m[0], &m[1]]),
    ] {
        assert_eq!(ids(&server.get(&format!("{of_run}?{query}")).await), expected, "{query}");
    }
}

/// Sends a large message, a small one and twelve of medium size to an agent that executes nothing.
async fn with_large_messages(server: &Server) -> (String, Vec<usize>) {
    let agent = server.agent("agentctl/echo").await;
    let lengths = [3 << 20, 10].into_iter().chain([20_000; 12]).collect::<Vec<usize>>();
    for length in &lengths {
        server.send(&agent, json!({"input": "x".repeat(*length)})).await;
    }
    (agent, lengths)
}

fn lengths(list: &Value) -> Vec<usize> {
    let contents = list.as_array().expect("a list").iter().map(|item| item["content"].as_str().expect("a text"));
    contents.map(str::len).collect()
}

#[tokio::test]
async fn a_page_of_large_messages_is_streamed_in_small_pieces() {
    let server = Server::start(Store::Memory, false).await;
    let (agent, sent) = with_large_messages(&server).await;
    let path = format!("/v1/agents/{agent}/messages?order=asc");
    let request = Request::builder().uri(&path).body(Body::empty()).expect("a request");
    let answer = server.router.clone().oneshot(request).await.expect("infallible");
    let pieces: Vec<_> = answer.into_body().into_data_stream().map(|piece| piece.expect("a piece")).collect().await;
    assert!(pieces.iter().all(|piece| piece.len() < 600_000), "each piece is smaller than the largest message");
    assert_eq!(lengths(&serde_json::from_slice(&pieces.concat()).expect("JSON")), sent);
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("{path}&limit=4{cursor}")).await;
        let Some(last) = ids(&page).last().map(|id| format!("&after={id}")) else { break };
        cursor = last;
        all.extend(lengths(&page));
    }
    assert_eq!(all, sent, "every message once");
}

#[tokio::test]
async fn a_large_list_waits_for_memory_and_a_small_one_does_not() {
    let server = Server::start(Store::Memory, false).await;
    let (agent, sent) = with_large_messages(&server).await;
    let path = format!("/v1/agents/{agent}/messages?order=asc");
    let held = server.running.memory().acquire(usize::MAX, 1).await;
    let large = server.get(&path);
    tokio::pin!(large);
    let newest = format!("/v1/agents/{agent}/messages?limit=1");
    let small = server.get(&newest);
    tokio::select! {
        biased;
        _ = &mut large => panic!("the memory is held"),
        small = small => assert_eq!(lengths(&small), [20_000]),
    }
    drop(held);
    assert_eq!(lengths(&large.await), sent);
}

#[tokio::test]
async fn input_messages_belong_to_the_first_step_of_their_own_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    server.send(&agent, json!({"input": "@sleep 50ms\n@reply first"})).await;
    let second = server.send(&agent, json!({"input": "@reply second"})).await;
    server.until(&second, "completed").await;
    let steps = server.get(&format!("/v1/runs/{second}/steps")).await;
    for message in server.get(&format!("/v1/runs/{second}/messages")).await.as_array().expect("a list") {
        assert_eq!((&message["step_id"], &message["run_id"]), (&steps[0]["id"], &json!(second.as_str())), "{message}");
    }
}
