/** Where relayed mail goes: Postfix's smtp-sink, which counts and forgets. */
import { join } from 'node:path'
import { accepts } from '../load.ts'
import { freePort, launch, until } from '../program.ts'

export interface Sink {
  readonly port: number
  /** Messages taken since the start. */
  count(): number
  stop(): Promise<void>
}

export async function startSink(folder: string, name: string): Promise<Sink> {
  const port = await freePort()
  const asRoot = process.getuid?.() === 0 ? ['-u', 'postfix'] : []
  const args = [...asRoot, '-c', '-m', '1000', `127.0.0.1:${port}`, '1024']
  const program = launch('smtp-sink', args, join(folder, `sink-${name}.out`))
  await until('smtp-sink', () => accepts(port))
  return {
    port,
    count: () => Number(/mesg=(\d+)[^=]*$/.exec(program.output())?.[1] ?? 0),
    stop: program.stop,
  }
}
