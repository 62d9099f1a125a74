#!/usr/bin/env python3
"""The official Python SDK against a server: what it can do there, step by step.

    agentctl serve -- python3 tests/clients/sdk.py

Needs `pip install letta-client`. The server is the one in LETTA_BASE_URL; its agents use the model `agentctl/script`.
Each check prints a line; the first that fails ends the script with 1.
"""

import http.server
import threading
import time

from letta_client import APIStatusError, Letta, NotFoundError, UnprocessableEntityError

client = Letta()
ENDED = ("completed", "failed", "cancelled")


def ended(run, limit=30):
    """The run, once it has ended."""
    until = time.monotonic() + limit
    while run.status not in ENDED:
        assert time.monotonic() < until, f"{run.id} is still {run.status}"
        time.sleep(0.05)
        run = client.runs.retrieve(run.id)
    return run


def send(agent, text, **fields):
    message = {"role": "user", "content": text}
    return client.agents.messages.create_async(agent.id, messages=[message], **fields)


def refused(kind, call):
    """The error that a call has to end with."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} expected")


def agents(agent):
    assert agent.name == "sdk" and agent.llm_config.handle == "agentctl/script"
    assert client.agents.retrieve(agent.id).id == agent.id
    assert [found.id for found in client.agents.list(name="sdk")] == [agent.id]
    assert any(model.handle == "agentctl/echo" for model in client.models.list())


def runs(agent):
    run = send(agent, "@tool look {}\n@reply done", max_steps=5)
    assert run.status == "created" and run.agent_id == agent.id and run.background
    run = ended(run)
    assert (run.status, run.stop_reason) == ("completed", "end_turn")
    assert run.total_duration_ns > 0 and run.ttft_ns > 0 and run.completed_at >= run.created_at
    kinds = [message.message_type for message in client.runs.messages.list(run.id)]
    assert kinds == ["user_message", "tool_call_message", "tool_return_message", "assistant_message"], kinds
    assert client.runs.usage.retrieve(run.id).total_tokens > 0
    assert len(list(client.runs.steps.list(run.id))) == 2
    failed = ended(send(agent, "@fail on purpose"))
    assert (failed.status, failed.stop_reason) == ("failed", "error")
    assert "on purpose" in failed.metadata["error"]


def pages(agent):
    sent = [send(agent, f"@reply {n}").id for n in range(25)]
    for order in ("asc", "desc"):
        listed = [run.id for run in client.runs.list(agent_id=agent.id, order=order, limit=7)]
        assert len(listed) == len(set(listed)), "each run once"
        assert [run for run in listed if run in sent] == (sent if order == "asc" else sent[::-1])
    ended(client.runs.retrieve(sent[-1]))
    history = [message.id for message in client.agents.messages.list(agent.id, limit=9)]
    assert len(history) >= 50, len(history)


def cancelling(agent):
    run = send(agent, "@hang")
    assert client.agents.messages.cancel(agent.id, run_ids=[run.id]) == {run.id: "cancelled"}
    assert ended(run).status == "cancelled"


def approvals(agent):
    run = ended(send(agent, "@ask rm {\"path\": \"x\"}\n@reply gone"))
    assert run.stop_reason == "requires_approval"
    asked = list(client.runs.messages.list(run.id))[-1]
    assert asked.message_type == "approval_request_message"
    approval = {"type": "approval", "tool_call_id": asked.tool_call.tool_call_id, "approve": True}
    answer = {"type": "approval", "approvals": [approval]}
    run = ended(client.agents.messages.create_async(agent.id, messages=[answer]))
    assert run.status == "completed"
    assert list(client.runs.messages.list(run.id))[-1].content == "gone"


def synchronous(agent):
    answer = client.agents.messages.create(agent.id, input="@reply at once")
    assert answer.messages[-1].content == "at once"
    assert answer.stop_reason.stop_reason == "end_turn" and answer.usage.step_count == 1


def streams(agent):
    frames = list(client.agents.messages.stream(agent.id, input="@reply piece by piece"))
    kinds = [frame.message_type for frame in frames]
    assert "assistant_message" in kinds and kinds[-2:] == ["stop_reason", "usage_statistics"], kinds
    run = ended(send(agent, "@reply again"))
    frames = list(client.runs.messages.stream(run.id))
    assert any(getattr(frame, "content", None) == "again" for frame in frames), frames


def callbacks(agent):
    received, arrived = [], threading.Event()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_):
            pass

    receiver = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    run = send(agent, "@reply hi", callback_url=f"http://127.0.0.1:{receiver.server_port}/done")
    assert arrived.wait(30), "no callback"
    assert run.id.encode() in received[0] and b'"completed"' in received[0]


def errors(agent):
    refused(NotFoundError, lambda: client.runs.retrieve("run-00000000-0000-4000-8000-00000000dead"))
    refused(UnprocessableEntityError, lambda: client.agents.messages.create_async(agent.id))
    error = refused(APIStatusError, lambda: client.agents.messages.cancel(agent.id))
    assert error.status_code == 409


def main():
    agent = client.agents.create(name="sdk", model="agentctl/script")
    for check in (agents, runs, pages, cancelling, approvals, synchronous, streams, callbacks, errors):
        check(agent)
        print(f"ok {check.__name__}", flush=True)
    client.agents.delete(agent.id)
    refused(NotFoundError, lambda: client.agents.retrieve(agent.id))
    print("ok deleted")


main()
