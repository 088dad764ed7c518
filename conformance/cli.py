"""The command line: parses words, calls one function, prints, and ends with the right exit code.

Nothing heavy is imported when this module is: every command imports what it needs. What a command does stands in
:mod:`storcert.conformance.commands`; here are only the words, the help and the exit codes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from storcert.conformance import cli_diff, cli_gate, cli_lint, cli_new_driver, cli_serve_driver, cli_sign
from storcert.conformance.cli_gate import Expectations
from storcert.conformance.cli_sign import VALID_DAYS, Key, ValidDays, Verdict
from storcert.conformance.cli_words import (
    Badge,
    CodeQuality,
    Ctrf,
    Html,
    Json,
    Junit,
    Ndjson,
    Sarif,
    SourceRoot,
    file_option,
)
from storcert.conformance.usage import InvalidUsage, one_line

CONFORMANT = 0
NOT_CONFORMANT = 1
INTERRUPTED = 2
INTERNAL_ERROR = 3
USAGE = 4
NOTHING_DECIDED = 5
_TYPER_INTERRUPTED = 130
"""What typer makes of an interrupt that no command has caught."""

app = typer.Typer(
    name="storcert",
    help="Certify a cloud storage driver against simulated devices, in virtual time.",
    epilog="Exit codes: 0 conformant, 1 not conformant, 2 interrupted, 3 internal error, 4 usage, 5 nothing decided.",
    add_completion=True,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_DEVICE = "One of `storcert list devices`; default: what the driver names, else object-store."
_PROFILES = "core: a quick look; standard: the certificate; deep: pairs of faults, long runs."

_FORMATS = "Print this instead: json, junit, html, sarif, ctrf, ndjson, code-quality, markdown, badge, coverage."


Traceback = Annotated[bool, typer.Option("--traceback", help="Show the traceback of an internal error.")]


Watch = Annotated[bool, typer.Option("--watch", help="Serve the report on loopback while it grows.")]


def _say_version(wanted: bool) -> None:
    if wanted:
        import storcert

        typer.echo(f"storcert {storcert.__version__}")
        raise typer.Exit(CONFORMANT)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Say the version and stop.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command(epilog="Example:  storcert certify s3 --profile core --seed 7 --json run.json")
def certify(
    driver: Annotated[
        str, typer.Argument(metavar="DRIVER", help="Installed name, package.module:Class, path/to/file.py:Class or grpc://HOST:PORT.")
    ],
    device: Annotated[str | None, typer.Option(metavar="DEVICE", help=_DEVICE)] = None,
    config: Annotated[Path | None, file_option("TOML with tables [configuration] and [simulator].")] = None,
    profile: Annotated[str, typer.Option(metavar="PROFILE", help=_PROFILES)] = "standard",
    rule: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this rule; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Same seed, same run.")] = 0,
    budget: Annotated[str | None, typer.Option(metavar="TIME", help="Stop after so long, as in 60s or 90.")] = None,
    search: Annotated[
        str | None, typer.Option(metavar="TIME", help="After the profile, go on with generated programs for so long.")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes; default: one per core, at most 4.")] = None,
    agree_with: Annotated[
        str | None, typer.Option(metavar="live:TARGET", help="Ask a real system about every failure found in simulation.")
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="A live device may be on another machine; this writes and deletes there.")
    ] = False,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Linux: processes without a right to the file system, for native code.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for every artefact.")] = None,
    json: Json = None,
    junit: Junit = None,
    html: Html = None,
    sarif: Sarif = None,
    ctrf: Ctrf = None,
    ndjson: Ndjson = None,
    code_quality: CodeQuality = None,
    badge: Badge = None,
    source_root: SourceRoot = "",
    expectations: Expectations = None,
    sign: Key = None,
    verdict: Verdict = None,
    valid_days: ValidDays = VALID_DAYS,
    watch: Watch = False,
    traceback: Traceback = False,
) -> None:
    """Run the conformance suites against a driver and say conformant or not."""
    from storcert.conformance import commands
    from storcert.conformance.options import Outputs, certify_options
    from storcert.conformance.real_time import seconds_of
    from storcert.conformance.rules import RULES
    from storcert.conformance.sign_command import signing_of

    outputs = Outputs(out, json, junit, html, sarif, ctrf, ndjson, code_quality, badge, source_root)
    options = certify_options(
        driver,
        device=device,
        config=config,
        profile=profile,
        rules=rule or (),
        seed=seed,
        budget_s=seconds_of("--budget", budget),
        search_s=seconds_of("--search", search),
        workers=workers,
        out=out,
        known_rules=RULES,
        isolate=isolate,
        agree_with=agree_with,
        allow_remote=allow_remote,
    )
    outputs.check()
    signing = signing_of(sign, verdict, outputs, valid_days)
    raise typer.Exit(commands.certify(options, outputs, expectations, signing, watch=watch))


cli_lint.register(app)


@app.command("run", epilog="Example:  storcert run smoke --seeds 10     storcert run i8748 --device '*=nfs,rbd'")
def run_scenarios(
    scenarios: Annotated[
        list[str],
        typer.Argument(metavar="SCENARIO...", help="Files, names of `storcert list scenarios`, their classes, or all."),
    ],
    seed: Annotated[int | None, typer.Option(metavar="N", help="Instead of the scenario's own seeds.")] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="So many seeds, from --seed (default 1) on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Stop there in virtual time, as in 90s.")] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT=KIND", help="On other devices: nfs=rbd; '*=nfs,rbd' runs each and compares."),
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes; default: one per core, at most 4.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for every artefact.")] = None,
    json: Json = None,
    junit: Junit = None,
    html: Html = None,
    sarif: Sarif = None,
    ctrf: Ctrf = None,
    ndjson: Ndjson = None,
    code_quality: CodeQuality = None,
    badge: Badge = None,
    source_root: SourceRoot = "",
    trace: Annotated[Path | None, file_option("Write the run as a Chrome trace, which Perfetto opens, here.")] = None,
    otlp: Annotated[Path | None, file_option("Write the run as OpenTelemetry JSON lines here.")] = None,
    mermaid: Annotated[Path | None, file_option("Write the last messages before the failure, a Mermaid diagram, here.")] = None,
    traceback: Traceback = False,
) -> None:
    """Run failure scenarios with the full logical layer, and say which rules held."""
    from storcert.conformance import run_command
    from storcert.conformance.options import Outputs
    from storcert.conformance.scenario_options import run_options
    from storcert.conformance.trace_outputs import TraceOutputs

    outputs = Outputs(out, json, junit, html, sarif, ctrf, ndjson, code_quality, badge, source_root)
    options = run_options(scenarios, seed=seed, seeds=seeds, until=until, devices=device or (), workers=workers)
    outputs.check()
    traces = TraceOutputs(trace=trace, otlp=otlp, mermaid=mermaid)
    traces.check()
    raise typer.Exit(run_command.run(options, outputs, traces))


@app.command(epilog="Example:  storcert explore smoke-copy --budget 60s --out found     storcert explore own.toml --exhaustive")
def explore(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A file, or a name of `storcert list scenarios`.")],
    runs: Annotated[int | None, typer.Option(metavar="N", help="So many variations; default 500 without --budget.")] = None,
    budget: Annotated[str | None, typer.Option(metavar="TIME", help="Real time for searching, as in 60s or 10min.")] = None,
    exhaustive: Annotated[
        bool, typer.Option("--exhaustive", help="Every single fault and crash, counted, instead of drawn variations.")
    ] = False,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes on this machine.")] = 1,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The workers of a Dask cluster instead.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Same seed, same search; default: the scenario's.")] = None,
    shrink_runs: Annotated[int, typer.Option(metavar="N", help="So many runs make one finding smaller; 0: none.")] = 400,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="For findings; a second call goes on from there.")] = None,
    json: Json = None,
    junit: Junit = None,
    html: Html = None,
    sarif: Sarif = None,
    ctrf: Ctrf = None,
    ndjson: Ndjson = None,
    code_quality: CodeQuality = None,
    badge: Badge = None,
    source_root: SourceRoot = "",
    watch: Watch = False,
    traceback: Traceback = False,
) -> None:
    """Search faults and interleavings around a scenario for failures nobody has had yet, and shrink them."""
    from storcert.conformance import explore_command
    from storcert.conformance.explore_options import explore_options
    from storcert.conformance.options import Outputs

    outputs = Outputs(out, json, junit, html, sarif, ctrf, ndjson, code_quality, badge, source_root)
    options = explore_options(
        scenario, runs=runs, budget=budget, exhaustive=exhaustive, workers=workers, scheduler=scheduler, seed=seed,
        shrink_runs=shrink_runs)
    outputs.check()
    raise typer.Exit(explore_command.explore(options, outputs, watch=watch))


@app.command(epilog="Example:  storcert replay storcert-out/replay-1.txt --step     storcert replay TOKEN --without fault-1")
def replay(
    token: Annotated[
        str, typer.Argument(metavar="TOKEN-or-FILE", help="As printed under a failure; or a scenario, by file or name.")
    ],
    at: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Look there: number of an event, time as 31.5s, broken, end.")
    ] = None,
    show: Annotated[
        list[str] | None,
        typer.Option(metavar="THING", help="What stands there then: /volume/1/a, device:vols, location:z1-h1, job:7, waits."),
    ] = None,
    step: Annotated[bool, typer.Option("--step", help="Go forward and back along the timeline; ? shows how.")] = False,
    without: Annotated[
        list[str] | None, typer.Option(metavar="FAULT", help="What if this fault, step or nemesis were not there?")
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="What if the scenario said this, as in fault.1.nth=3?")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Of a scenario; a token has its own.")] = None,
    on_defect: Annotated[bool, typer.Option("--on-defect", help="The run of a regression on its defect.")] = False,
    write: Annotated[Path | None, file_option("Write the scenario, with what was changed, here.")] = None,
    on: Annotated[
        str | None, typer.Option(metavar="live:TARGET", help="Of a certification: does a real system have the same failure?")
    ] = None,
    traceback: Traceback = False,
) -> None:
    """Run one recorded failure again, bit for bit, with its timeline; look at any moment of it; change one thing."""
    from storcert.conformance import replay_command
    from storcert.conformance.options import check_file
    from storcert.conformance.replay_scenario import ReplayOptions

    if write is not None:
        check_file("--write", write)
    options = ReplayOptions(at, tuple(show or ()), step, tuple(without or ()), tuple(change or ()), write)
    raise typer.Exit(replay_command.replay(token, options, seed=seed, on_defect=on_defect, on=on))


@app.command(epilog="Example:  storcert explain C-COMMIT")
def explain(
    id: Annotated[str, typer.Argument(metavar="ID", help="A rule (C-COMMIT) or a check of it.")],
) -> None:
    """Say what a rule means, why it exists, and show an example that breaks it."""
    from storcert.conformance import commands

    raise typer.Exit(commands.explain(id))


@app.command("list", epilog="Example:  storcert list rules")
def list_(
    what: Annotated[str, typer.Argument(metavar="drivers|devices|rules|scenarios|defects", help="What to list.")],
) -> None:
    """Show what is there: drivers, devices, rules, scenarios, planted defects."""
    from storcert.conformance import commands

    raise typer.Exit(commands.list_things(what))


@app.command(epilog="Example:  storcert report run.json --junit junit.xml     storcert report run.json --format sarif")
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN.json", help="A run record.")],
    format: Annotated[str | None, typer.Option(metavar="FORMAT", help=_FORMATS)] = None,
    json: Json = None,
    junit: Junit = None,
    html: Html = None,
    sarif: Sarif = None,
    ctrf: Ctrf = None,
    ndjson: Ndjson = None,
    code_quality: CodeQuality = None,
    badge: Badge = None,
    max_age: Annotated[str | None, typer.Option(metavar="TIME", help="The badge of an older run is grey, as in 90d.")] = None,
    source_root: SourceRoot = "",
) -> None:
    """Render a stored run again, in the terminal or in other formats. Simulates nothing."""
    from storcert.conformance import commands
    from storcert.conformance.age import parse_age
    from storcert.conformance.options import Outputs

    outputs = Outputs(None, json, junit, html, sarif, ctrf, ndjson, code_quality, badge, source_root)
    outputs.check()
    raise typer.Exit(commands.report(run, outputs, format, parse_age("--max-age", max_age)))


cli_diff.register(app)
cli_gate.register(app)
cli_new_driver.register(app)
cli_serve_driver.register(app)
cli_sign.register(app)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and give the exit code; prints, never raises."""
    arguments = sys.argv[1:] if arguments is None else arguments
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]  # Click's UsageError, which typer may carry inside
    click_error: type[Exception] = usage_error.__mro__[1]
    command = typer.main.get_command(app)
    try:
        code = command.main(args=arguments, prog_name="storcert", standalone_mode=False)
    except InvalidUsage as error:
        return _complain(one_line(error, 1_000), USAGE)
    except click_error as error:
        return _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (`storcert list rules | head`); nothing is left to say to anybody.
        sys.stderr.close()
        return CONFORMANT
    except Exception as error:  # noqa: BLE001  the outermost door: whatever is left is the kit's own fault
        return _internal(error, show="--traceback" in arguments)
    if code == _TYPER_INTERRUPTED:
        return _complain("interrupted", INTERRUPTED)
    return int(code or 0)


def main() -> NoReturn:
    """Entry point of the ``storcert`` script."""
    sys.exit(run())


def _complain(message: str, code: int) -> int:
    from storcert.conformance.secrets import scrubbed

    print(f"storcert: {scrubbed(message)}", file=sys.stderr)
    return code


def _usage(error: Exception) -> int:
    """A Click error: its text is for people; its exit code 2 would mean "interrupted" here."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(context.get_help() if context is not None else error, file=sys.stderr)
        return USAGE
    said = getattr(error, "format_message", error.__str__)
    text = one_line(said())
    path = context.command_path if context is not None else "storcert"
    return _complain(f"{text} Try '{path} --help'." if text.endswith(".") else f"{text}. Try '{path} --help'.", USAGE)


def _internal(error: Exception, *, show: bool) -> int:
    from storcert.conformance.internal_error import report_internal_error

    return _complain(report_internal_error(error, show=show), INTERNAL_ERROR)


if __name__ == "__main__":
    main()
