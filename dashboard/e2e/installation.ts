// Redis, an api, a worker and a wire to the api: the whole product over the samples.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job, JobDocument, LiveEvent } from "../src/wire";
import { built, freePort, program, REPOSITORY, Running, until } from "./processes";
import { Proxy } from "./proxy";

export const SAMPLES = join(REPOSITORY, "samples");

export class Installation {
  private running: Running[] = [];
  private api: Running | null = null;
  worker: Running | null = null;

  private constructor(
    private readonly folder: string,
    private readonly variables: Record<string, string>,
    private readonly apiPort: number,
    readonly proxy: Proxy,
  ) {}

  static async start(): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), "ragtrain-e2e-"));
    const [redis, api, wire] = [await freePort(), await freePort(), await freePort()];
    const variables = {
      REDIS_URL: `redis://127.0.0.1:${redis}/0`,
      RAGTRAIN_DATA: join(folder, "data"),
      RAGTRAIN_DOCS_ROOT: SAMPLES,
      RAGTRAIN_LISTEN: `127.0.0.1:${api}`,
      RAGTRAIN_WORKERS: "1",
    };
    const installation = new Installation(folder, variables, api, new Proxy(wire, api));
    const parameters = ["--port", String(redis), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
    installation.run(program("redis-server"), parameters);
    await installation.startApi();
    installation.worker = installation.run(built("ragtrain-worker"), []);
    await installation.proxy.open();
    return installation;
  }

  /** Where the page is: behind the wire. */
  get address(): string {
    return `http://127.0.0.1:${this.proxy.port}`;
  }

  async startApi(): Promise<void> {
    this.api = this.run(built("ragtrain-api"), []);
    await until("the api is ready", async () => (await fetch(this.url("/readyz"))).ok);
  }

  async stopApi(): Promise<void> {
    await this.api?.stop();
    this.running = this.running.filter((one) => one !== this.api);
  }

  async get<Answer>(path: string): Promise<Answer> {
    const answer = await fetch(this.url(path));
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }

  job = (id: string) => this.get<Job>(`/jobs/${id}`);

  async events(id: string): Promise<LiveEvent[]> {
    return (await this.get<{ events: LiveEvent[] }>(`/jobs/${id}/events?format=json&limit=1000`)).events;
  }

  async documents(id: string): Promise<JobDocument[]> {
    return (await this.get<{ documents: JobDocument[] }>(`/jobs/${id}/documents?limit=1000`)).documents;
  }

  async stop(): Promise<void> {
    await this.proxy.close();
    // Redis last: the others say goodbye to it.
    for (const one of this.running.reverse()) await one.stop();
    await rm(this.folder, { recursive: true });
  }

  private run(path: string, parameters: string[]): Running {
    const running = new Running(path, parameters, this.variables, join(this.folder, "log"));
    this.running.push(running);
    return running;
  }

  /** Past the wire. */
  private url(path: string): string {
    return `http://127.0.0.1:${this.apiPort}${path}`;
  }
}
