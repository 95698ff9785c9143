// Programs that the tests start, and the conditions that they wait for.

import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, openSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const REPOSITORY = resolve(fileURLToPath(import.meta.url), "../../..");

/** The path of an installed program; a missing one fails the tests. */
export function program(name: string): string {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Perhaps in the next folder.
    }
  }
  throw new Error(`${name} is not installed (scripts/setup.sh test)`);
}

/** One of ours, as `cargo build --release` leaves it. */
export function built(name: string): string {
  const target = resolve(REPOSITORY, process.env.CARGO_TARGET_DIR ?? "target");
  const path = join(target, "release", name);
  accessSync(path, constants.X_OK);
  return path;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

export class Running {
  private readonly child: ChildProcess;
  private readonly over: Promise<void>;

  constructor(path: string, parameters: string[], variables: Record<string, string>, log: string) {
    const file = openSync(log, "a");
    this.child = spawn(path, parameters, {
      env: { ...process.env, ...variables },
      stdio: ["ignore", file, file],
    });
    this.over = new Promise((ended, broken) => {
      this.child.once("exit", () => ended());
      this.child.once("error", broken);
    });
  }

  /** A process that holds still keeps what it has in work. */
  hold(): void {
    this.child.kill("SIGSTOP");
  }

  release(): void {
    this.child.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    await this.over;
  }
}

/** Asks until the answer is yes; what is asked may fail meanwhile. */
export async function until(what: string, asked: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    if (await asked().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}
