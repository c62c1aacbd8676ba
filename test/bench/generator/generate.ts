/** Runs the load generator as a process of its own. */
import { fileURLToPath } from 'node:url'
import { run } from '../program.ts'
import type { Job, Told } from './job.ts'

const SCRIPT = fileURLToPath(new URL('./main.ts', import.meta.url))

export async function generate(job: Job, limitMs?: number): Promise<Told> {
  return JSON.parse(await run(process.execPath, [SCRIPT, JSON.stringify(job)], limitMs)) as Told
}
