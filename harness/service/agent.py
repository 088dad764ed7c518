"""An agent as a process of its own: commands as JSON over HTTP, real time, real drivers.

    python -m storcert.harness.service.agent --name host-1 --port 7401

It listens on loopback unless told otherwise, answers ``POST /command``, and prints one line when it is ready. Clients who
upload an object or fetch one come to another port (``--transfer-port``), which alone may be open to them; ``--transfer-url``
says how they see it, where something stands before it. Nothing is kept on disk: an agent that was killed comes back with
nothing in memory, and says so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from storcert.harness.agent.agent import Agent
from storcert.harness.record.command import Command
from storcert.harness.service.agent_machine import RealMachine
from storcert.harness.service.door_http import serve_doors
from storcert.harness.service.json_http import READY, serve


def main(words: list[str] | None = None) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="An agent: carries out commands at this machine.")
    parser.add_argument("--name", required=True, help="of this location, as the topology has it")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--address", default="127.0.0.1", help="to listen on")
    parser.add_argument("--transfer-port", type=int, default=0, help="for clients, 0: a free one")
    parser.add_argument("--transfer-url", default="", help="where clients reach that port; by default http://ADDRESS:PORT")
    said = parser.parse_args(words)
    machine = RealMachine(said.name, sys.stderr)
    agent = Agent(machine)
    doors = serve_doors(said.address, said.transfer_port, agent.doors.answer)
    machine.transfer_url = said.transfer_url.rstrip("/") or f"http://{said.address}:{doors.server_address[1]}"
    machine.spawn("doors", doors.serve_forever)

    def answer(path: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if path != "/command":
            raise ValueError(f"nothing is at {path}")
        return agent.handle(Command.from_json(asked)).to_json()

    server = serve(said.address, said.port, answer)
    print(f"{READY} {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
