"""The command line: which scenarios, which seed, what came of it."""

import argparse
import os
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time

import machine
from nodes import make_template
from paths import ROOT, Failed
from scenario import Run, load_scenarios

HELD, FAILED, USAGE, SKIPPED = 0, 1, 2, 3
# Scenarios of the gate that must have run: as many as need neither root nor tools.
GATE_MIN = 12


def say(text=""):
    print(text, flush=True)


def default_program():
    """The program that tools/check built, or that a plain build made."""
    named = os.environ.get("OFFPEAK_PROGRAMS")
    return os.path.join(named or os.path.join(ROOT, ".build/release"), "offpeak")


def parse(text, scenarios):
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [scenario.name for scenario in scenarios]
    parser.add_argument("--seed", type=int, help="what all faults are drawn from (default: a new one)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME",
                        help="which scenarios; --list shows them")
    parser.add_argument("--gate", action="store_true",
                        help="only those that tools/check runs; ends with 0 also where some can't "
                             f"run here, if {GATE_MIN} did")
    parser.add_argument("--rounds", type=int, default=1,
                        help="how often; each round adds one to the seed (default: 1)")
    parser.add_argument("--list", action="store_true", help="show the scenarios and end")
    parser.add_argument("--offpeak", default=default_program(),
                        help="the program (default: in $OFFPEAK_PROGRAMS, else .build/release)")
    parser.add_argument("--keep", action="store_true", help="keep the files of what held, too")
    parser.add_argument("--verbose", action="store_true",
                        help="tell what was drawn and done also where all held")
    parser.add_argument("--allow-skipped", action="store_true",
                        help="end with 0 also if a scenario couldn't run here")
    return parser, parser.parse_args()


class Tour:
    """All runs of one command."""

    def __init__(self, options, scenarios):
        self.options = options
        self.scenarios = [one for one in scenarios if one.name in options.only
                          and (one.gate or not options.gate)]
        self.folder = tempfile.mkdtemp(prefix="offpeak-chaos-")
        self.templates = {}
        self.failed, self.skipped, self.held = [], [], 0

    def template(self, scenario):
        """Keys, wallets and genesis for networks of this shape, made once."""
        if scenario.shape not in self.templates:
            folder = os.path.join(self.folder, "template-" + "-".join(map(str, scenario.shape)))
            self.templates[scenario.shape] = make_template(
                self.options.offpeak, folder, *scenario.shape)
        return self.templates[scenario.shape]

    def play(self, scenario, seed):
        missing = machine.missing(scenario.all_needs)
        if missing:
            self.skipped.append(scenario.name)
            say(f"SKIPPED {scenario.name}: this machine lacks {', '.join(missing)}")
            return
        folder = os.path.join(self.folder, f"{scenario.name}-{seed}")
        began = time.monotonic()
        run = Run(scenario, seed, self.options.offpeak, self.template(scenario), folder)
        has_held = run.run()
        self.report(run, has_held, time.monotonic() - began)
        for line in run.tables:
            say(f"        {line}")
        if has_held:
            self.held += 1
            if self.options.verbose:
                self.tell(run.notes)
            if not self.options.keep:
                shutil.rmtree(folder, ignore_errors=True)
            return
        self.failed.append((scenario.name, seed))
        self.explain(run)

    @staticmethod
    def report(run, has_held, seconds):
        figures = run.figures
        times = " ".join(f"{name} {value:.1f}" for name, value in run.times.items())
        say(f"{'held  ' if has_held else 'FAILED'} {run.scenario.name:<18} seed {run.seed}  "
            f"{seconds:5.1f} s  healed in {figures.get('healed', 0):.1f}  "
            f"ok {figures.get('ok', 0)} unknown {figures.get('unknown', 0)} "
            f"refused {figures.get('fail', 0)} open {figures.get('open', 0)} "
            f"pending {figures.get('pending', 0)} "
            f"reads {figures.get('reads', 0)} votes {figures.get('votes', 0)}  [{times}]")

    def explain(self, run):
        for fault in run.faults[:12]:
            say(f"        {fault}")
        if len(run.faults) > 12:
            say(f"        and {len(run.faults) - 12} more")
        self.tell(run.notes)
        command = ["tools/chaos/run", "--seed", str(run.seed), "--only", run.scenario.name,
                   "--offpeak", self.options.offpeak]
        say(f"        repeat: {shlex.join(command)}")
        say(f"        files: {run.folder}")

    @staticmethod
    def tell(notes):
        for note in notes:
            say(f"        note: {note}")

    def close(self):
        for folder in self.templates.values():
            shutil.rmtree(folder, ignore_errors=True)
        if not self.failed and not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def interrupted(*_):
    # As Ctrl-C: every run ends its processes on the way out.
    raise KeyboardInterrupt


def main(text):
    scenarios = load_scenarios()
    parser, options = parse(text, scenarios)
    if options.list:
        for scenario in scenarios:
            needs = f" (needs {', '.join(scenario.all_needs)})" if scenario.all_needs else ""
            say(f"{scenario.name:<18} {scenario.what}{needs}{' [gate]' if scenario.gate else ''}")
        return HELD
    if not os.access(options.offpeak, os.X_OK):
        what = "is no program" if os.path.exists(options.offpeak) else "isn't there"
        parser.error(f"{options.offpeak} {what}; `swift build -c release --product offpeak` "
                     "makes it, or name another with --offpeak")
    options.offpeak = os.path.abspath(options.offpeak)
    signal.signal(signal.SIGTERM, interrupted)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    chaos = Tour(options, scenarios)
    began = time.monotonic()
    try:
        for turn in range(options.rounds):
            for scenario in chaos.scenarios:
                chaos.play(scenario, seed + turn)
    except Failed as fault:
        say(f"chaos: {fault}")
        return FAILED
    except KeyboardInterrupt:
        return 130
    finally:
        chaos.close()
    return conclude(chaos, seed, options, time.monotonic() - began)


def conclude(chaos, seed, options, seconds):
    last = f" to {seed + options.rounds - 1}" if options.rounds > 1 else ""
    say(f"seed {seed}{last}: {chaos.held} held, {len(chaos.failed)} failed, "
        f"{len(chaos.skipped)} skipped, {seconds:.0f} s")
    for name in sorted(set(chaos.skipped)):
        say(f"SKIPPED, and so not shown: {name}")
    if options.gate:
        say(f"{chaos.held + len(chaos.failed)} of {len(chaos.scenarios) * options.rounds} scenarios "
            f"of the gate ran, {GATE_MIN} must")
    if chaos.failed:
        return FAILED
    if options.gate:
        return HELD if chaos.held >= GATE_MIN else SKIPPED
    return SKIPPED if chaos.skipped and not options.allow_skipped else HELD
