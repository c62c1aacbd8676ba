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

export interface SinkOptions {
  /** An address of the loopback; 127.0.0.1 if not given. */
  readonly address?: string
  /** A free one if not given. */
  readonly port?: number
  /** A command that is answered by 4yz. */
  readonly refuses?: string
}

export async function startSink(
  folder: string,
  name: string,
  { address = '127.0.0.1', port: given, refuses }: SinkOptions = {},
): Promise<Sink> {
  const port = given ?? (await freePort(address))
  const asRoot = process.getuid?.() === 0 ? ['-u', 'postfix'] : []
  const soft = refuses === undefined ? [] : ['-r', refuses]
  const args = [...asRoot, ...soft, '-c', '-m', '1000', `${address}:${port}`, '1024']
  const program = launch('smtp-sink', args, join(folder, `sink-${name}.out`))
  await until('smtp-sink', () => accepts(port, address))
  return {
    port,
    count: () => Number(/mesg=(\d+)[^=]*$/.exec(program.output())?.[1] ?? 0),
    stop: program.stop,
  }
}
