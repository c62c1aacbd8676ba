/**
 * Simulated programs: functions under the paths of programs. Implements world/programs.ts. What a program
 * does happens at the end of its time; that it has ended is known a moment later, so that a crash may fall
 * between the two.
 */
import type { Source } from '../../wire/effect.ts'
import type { Ended, Programs, Run } from '../programs.ts'
import type { DiskHost } from './disk.ts'

/** What a program does with what it is given. */
export type SimProgram = (
  argv: readonly string[],
  input: Buffer,
) => { readonly code: number; readonly output?: string }

export class SimPrograms {
  readonly #programs = new Map<string, { readonly takesMs: number; readonly run: SimProgram }>()

  set(path: string, run: SimProgram, takesMs = 10): void {
    this.#programs.set(path, { takesMs, run })
  }

  /** @param after runs something after so much virtual time */
  mount(host: DiskHost, after: (delayMs: number) => Promise<void>): Programs {
    return {
      endAll: () => {},
      run: async (run: Run, input: Source): Promise<Ended> => {
        const program = this.#programs.get(run.argv[0] ?? '')
        if (program === undefined) return { kind: 'unstarted', reason: `no ${run.argv[0]}` }
        const octets = await whole(input)
        await after(Math.min(program.takesMs, run.timeoutMs))
        if (program.takesMs > run.timeoutMs) return { kind: 'timeout', output: '' }
        const { code, output = '' } = program.run(run.argv, octets)
        return host.later('program ends', () => {
          return { kind: 'exit', code, output: output.slice(0, run.outputMax) }
        })
      },
    }
  }
}

async function whole(input: Source): Promise<Buffer> {
  if (input instanceof Uint8Array) return Buffer.from(input)
  const pieces: Uint8Array[] = []
  for await (const piece of input) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
