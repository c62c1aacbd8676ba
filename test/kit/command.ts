/**
 * The command line in this process: a process of its own for each command costs half a second of the machine.
 * That the command as it is called does the same is test/cli/start-script.test.ts. A bug is thrown.
 */
import { EXIT } from '../../src/cli/exit.ts'
import { failure } from '../../src/cli/failure.ts'
import { program } from '../../src/cli/program.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeTerminal, type Terminal } from '../../src/world/node/terminal.ts'

const base = nodeTerminal()

export interface Told {
  readonly out: string
  readonly err: string
  readonly asked: string
  /** As the process would have ended. */
  readonly code: number
}

/** `typed` is what a person answers; without it nobody sits there. */
export async function command(args: readonly string[], typed?: string): Promise<Told> {
  const told = { out: '', err: '', asked: '', code: 0 }
  const terminal: Terminal = {
    ...base,
    interactive: typed !== undefined,
    out(text) {
      told.out += text
    },
    err(text) {
      told.err += text
    },
    async ask(prompt) {
      told.asked += prompt
      return typed ?? ''
    },
    onInterrupt() {},
    setExit(code) {
      told.code = code
    },
  }
  try {
    const root = await program({ terminal, clock: nodeClock }, args[0])
    await root.parseAsync([...args], { from: 'user' })
    return told
  } catch (error) {
    const { exit, message = '', told: said } = failure(error)
    if (exit === EXIT.software) throw error
    return { ...told, code: exit, ...(message !== '' && said === undefined && { err: message }) }
  }
}
