"""The faults of tests/fuzz/faults. Each is struck at one message of one tool's session: before it passes, behind it, or a while later.

A kind is a function of (worker, fault, link, to_server, message) that returns what passes instead of the message; EOFError closes.
"""
import os
import signal
import struct
import threading
import time

import proxy

KINDS = {}


class Kind:
    """`weight` in the round. `codes`: how the last program may end besides 0. `fits(case)`: whether it can be struck there."""

    def __init__(self, name, act, weight, codes, fits=None, wants=None, how=None):
        self.name, self.act, self.weight, self.codes, self.how = name, act, weight, codes, how
        self.fits = fits or (lambda case: True)
        self.wants = wants or (lambda fault, to_server, kind, whole: True)  # of a message that is far enough
        KINDS[name] = self


# ---- the network ---------------------------------------------------------------------------------------------------------


def cut(worker, fault, link, to_server, whole):
    """What is on its way to the server gets there; the tool finds its connection closed."""
    proxy.shut(link.client)
    raise EOFError


def half(worker, fault, link, to_server, whole):
    (link.server if to_server else link.client).sendall(whole[: fault.rng.randrange(len(whole))])
    return cut(worker, fault, link, to_server, whole)


def reset(worker, fault, link, to_server, whole):
    proxy.reset(link.client)
    proxy.reset(link.server)
    raise EOFError


def away(worker, fault, link, to_server, whole):
    """And nobody can connect for a second."""
    worker.proxy.refuses = True
    worker.later(fault.rng.uniform(0.2, 1.5), lambda: setattr(worker.proxy, "refuses", False))
    return cut(worker, fault, link, to_server, whole)


def stall(worker, fault, link, to_server, whole):
    """Nothing passes any more, either way, and nothing is closed."""
    link.stalled = True
    worker.ended.wait(200)
    raise EOFError


def slow(worker, fault, link, to_server, whole):
    time.sleep(fault.rng.uniform(0.1, 0.6))
    return whole


def garbled(worker, fault, link, to_server, whole):
    """What breaks the protocol; another value of the right form is what no client can tell from a true one."""
    body = whole[5:]
    made = [b"?" + whole[1:], whole[:1] + struct.pack(">I", len(body) + 0x40000000) + body, whole[:1] + struct.pack(">i", 3) + body,
            bytes(255 - b for b in whole), whole[:5] + b"", proxy.message(b"H", b"\0\0\0"), proxy.message(b"Z", b"I") * 3 + whole]
    return fault.rng.choice(made)


def is_server(fault, to_server, kind, whole):
    return not to_server


def nth_commit(fault, to_server, kind, whole):
    """With what goes with it to its Sync, where the message itself has to get through."""
    if not to_server:
        return False
    if fault.at_sync:
        return kind == b"S"
    fault.commits += b"COMMIT" in whole
    if fault.commits < fault.nth or b"COMMIT" not in whole:
        return False
    fault.at_sync = fault.kind.name == "answer to COMMIT lost" and kind != b"Q"
    return not fault.at_sync


NETWORK = [69]
Kind("connection cut", cut, 14, NETWORK)
Kind("message cut in half", half, 8, NETWORK)
Kind("connection reset", reset, 8, NETWORK)
Kind("cut, and nobody can connect for a second", away, 6, NETWORK)
Kind("silence", stall, 1.2, NETWORK)
Kind("slow message", slow, 3, [])
Kind("garbled answer", garbled, 8, NETWORK, wants=is_server)
Kind("answer to COMMIT lost", cut, 8, NETWORK, wants=nth_commit, how="commit")
Kind("COMMIT does not arrive", cut, 6, NETWORK, wants=nth_commit, how="commit")

# ---- signals -------------------------------------------------------------------------------------------------------------


def signalled(number, then=None):
    def act(worker, fault, link, to_server, whole):
        process = worker.processes.get(fault.victim)
        fault.struck = process is not None and process.poll() is None
        if fault.struck:
            process.send_signal(number)
            if then is not None:
                time.sleep(fault.rng.uniform(0.05, 0.4))
                process.send_signal(then)
            if signal.SIGKILL in (number, then):
                process.wait()
        return whole

    return act


Kind("SIGKILL", signalled(signal.SIGKILL), 14, [137, 65], how="signal")
Kind("SIGTERM", signalled(signal.SIGTERM), 7, [143, 65], how="signal")
Kind("SIGINT", signalled(signal.SIGINT), 5, [130, 65], how="signal")
Kind("SIGHUP", signalled(signal.SIGHUP), 3, [129, 65], how="signal")
Kind("SIGSTOP, then SIGCONT", signalled(signal.SIGSTOP, signal.SIGCONT), 4, [], how="signal")
Kind("SIGSTOP, then SIGKILL", signalled(signal.SIGSTOP, signal.SIGKILL), 4, [137, 65], how="signal")

# ---- the server ------------------------------------------------------------------------------------------------------------


def sessions(worker, fault, call):
    return worker.striker.ask(f"SELECT {call} FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name LIKE '{fault.channel}%'")


def terminated(worker, fault, link, to_server, whole):
    fault.struck = bool(sessions(worker, fault, "pg_terminate_backend(pid)"))
    return whole


def cancelled(worker, fault, link, to_server, whole):
    fault.struck = bool(sessions(worker, fault, "pg_cancel_backend(pid)"))
    return whole


def crashed(worker, fault, link, to_server, whole):
    """One process of the server is killed, which ends all sessions and begins recovery."""
    found = sessions(worker, fault, "pid")
    fault.struck = bool(found)
    for (pid,) in found:
        os.kill(int(pid), signal.SIGKILL)
    return whole


def stopped(mode):
    def act(worker, fault, link, to_server, whole):
        worker.server_ctl("stop", "-m", mode)
        time.sleep(fault.rng.choice([0, 0, 0.3]))
        worker.server_ctl("-w", "start")
        return whole

    return act


Kind("session terminated", terminated, 10, [69])
Kind("statement cancelled", cancelled, 5, [1, 69, 75])
Kind("server process killed", crashed, 4, [69, 75])
Kind("server stopped at once, and started", stopped("immediate"), 5, [69, 75])
Kind("server restarted", stopped("fast"), 3, [69, 75])

# ---- what it writes to, and the clock --------------------------------------------------------------------------------------


def nothing(worker, fault, link, to_server, whole):
    return whole


def reader_leaves(worker, fault, link, to_server, whole):
    worker.reader.close()
    return whole


def clock(worker, fault, link, to_server, whole):
    worker.set_clock(fault.rng.choice([-400 * 86400, -86400, -3600, -5, -1, 1, 5, 3600, 86400, 400 * 86400]))
    return whole


def is_root(case):
    return os.geteuid() == 0


def cut_off(fault):
    return f"$_ = substr($_, 0, int(length($_) * {fault.rng.random()}))"


def other_byte(fault):
    return f"my $at = int(length($_) * {fault.rng.random()}); substr($_, $at, 1) ^= chr({1 << fault.rng.randrange(7)})"


def has_pipe(case):
    return case.action != "seed"


Kind("stream cut off", nothing, 4, [65], how="stream", fits=has_pipe)
Kind("another byte in a stream", nothing, 5, [65], how="stream", fits=has_pipe)
Kind("reader gone", reader_leaves, 6, [74, 141], how="reader")
Kind("file may not grow", nothing, 5, [74], how="limit")
Kind("disk full", nothing, 6, [74], how="full", fits=is_root)
Kind("/tmp full", nothing, 12, [75], how="tmp", fits=lambda case: case.name == "seed-stdin" and is_root(case))
Kind("clock stepped", clock, 6, [], how="clock")


class Fault:
    """Number `number` of seed `seed`: what, in which case, and where; `counts` has the undisturbed case's messages of each tool."""

    def __init__(self, seed, number, case, turn, rng, counts, output_bytes):
        self.seed, self.number, self.case, self.rng = seed, number, case, rng
        kinds = [k for k in KINDS.values() if k.fits(case)]
        self.kind = rng.choices(kinds, [k.weight for k in kinds])[0]
        self.channel = "mig-seed" if case.action == "seed" else "mig-scan" if rng.random() < 0.15 and self.kind.how not in ("commit", "reader") else "mig-apply"
        # evenly over all messages, from turn to turn
        share = (turn * 0.6180339887 + (seed % 9973) / 9973) % 1
        self.at = int(share * counts[self.channel]) + 1
        self.output_at = rng.randrange(output_bytes + 1)
        self.behind = rng.random() < 0.6
        self.wait = rng.choice([0, 0, rng.uniform(0, 0.08)]) if self.behind else 0
        self.victim = self.channel
        if self.kind.how == "signal" and self.channel == "mig-scan" and rng.random() < 0.5:
            self.victim = "mig-plan"
        elif self.kind.how == "signal" and self.channel == "mig-apply" and self.at < 5 and rng.random() < 0.5:
            self.victim = "mig-plan"
        self.nth, self.commits, self.at_sync = rng.randrange(1, max(2, counts["COMMIT"] + 1)), 0, False
        self.channel_before = rng.choice(["mig-scan", "mig-plan"])
        self.fired, self.struck, self.over = False, True, threading.Event()

    def is_due(self, name, count, to_server, kind, whole):
        if self.fired or name != self.channel or self.kind.act is nothing:
            return False
        if self.kind.how == "commit":
            return self.kind.wants(self, to_server, kind, whole)
        return count >= self.at and self.kind.wants(self, to_server, kind, whole)

    def filter(self):
        """A program in the pipe behind `channel_before`."""
        return ["perl", "-0777", "-pe", (cut_off if self.kind.name == "stream cut off" else other_byte)(self)]

    def strike(self, worker, link, to_server, whole):
        if self.kind.name == "COMMIT does not arrive":
            return self.kind.act(worker, self, link, to_server, whole)
        if self.kind.name == "answer to COMMIT lost" or (self.behind and self.kind.act not in (half, slow, garbled)):
            (link.server if to_server else link.client).sendall(whole)
            if self.wait:
                time.sleep(self.wait)
            self.kind.act(worker, self, link, to_server, whole)
            return b""
        return self.kind.act(worker, self, link, to_server, whole)

    def __str__(self):
        where = f"behind {self.channel_before}" if self.kind.how == "stream" else f"{self.output_at} bytes" if self.kind.act is nothing else f"COMMIT {self.nth}" if self.kind.how == "commit" else \
            f"message {self.at} of {self.channel}"
        when = "" if self.kind.act is nothing or self.kind.how == "commit" else ", before" if not self.behind else f", {self.wait * 1000:.0f} ms behind" if self.wait else ", behind"
        who = f" to {self.victim}" if self.kind.how == "signal" else ""
        return f"fault {self.number} of seed {self.seed}: {self.case.name}, {self.kind.name}{who}, {where}{when}"
