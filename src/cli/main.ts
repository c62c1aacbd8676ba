/**
 * The command line. bin/postrider starts it; called by the name of `sendmail`, `mailq` or
 * `newaliases` it is that command. Whatever happens ends in one clear message and an exit code of
 * sysexits (exit.ts).
 */
import { Command, CommanderError } from 'commander'
import { nodeClock } from '../world/node/clock.ts'
import { nodeTerminal } from '../world/node/terminal.ts'
import { addAccount } from './command/account.ts'
import { addAlias } from './command/alias.ts'
import { addBackup } from './command/backup.ts'
import { addCheck } from './command/check.ts'
import { addDomain } from './command/domain.ts'
import { addInit } from './command/init.ts'
import { addQueue } from './command/queue.ts'
import { addSend } from './command/send.ts'
import { addSendmail, runSendmail } from './command/sendmail.ts'
import { addStart } from './command/start.ts'
import { addStatus } from './command/status.ts'
import { addTrace } from './command/trace.ts'
import { CommandError, EXIT } from './exit.ts'
import type { AddCommand, Face } from './face.ts'
import { json, printable } from './print.ts'
import { version } from '../server/version.ts'

/** In the order of `postrider --help`. */
const COMMANDS: readonly AddCommand[] = [
  addStart,
  addInit,
  addCheck,
  addStatus,
  addSend,
  addSendmail,
  addQueue,
  addTrace,
  addDomain,
  addAccount,
  addAlias,
  addBackup,
]

function program(face: Face): Command {
  const root = new Command('postrider')
    .description('The whole of email in one process.')
    .version(version())
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('(postrider --help lists what there is)')
  for (const add of COMMANDS) add(root, face)
  return exitByThrowing(root, face)
}

/** commander would end the process itself; it throws, so that one place decides. */
function exitByThrowing(command: Command, face: Face): Command {
  command.exitOverride()
  command.configureOutput({
    writeOut: text => face.terminal.out(text),
    writeErr: text => face.terminal.err(text),
  })
  for (const inner of command.commands) exitByThrowing(inner, face)
  return command
}

/** What a failure means to the caller: the exit code, and the message unless it was printed. */
function failure(error: unknown): { readonly exit: number; readonly message?: string } {
  if (error instanceof CommanderError) return { exit: error.exitCode === 0 ? 0 : EXIT.usage }
  if (error instanceof CommandError) return error
  if (error instanceof Error && 'exit' in error && typeof error.exit === 'number') {
    return { exit: error.exit, message: error.message }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exit: EXIT.software, message: `this is a bug: ${message}` }
}

async function main(): Promise<void> {
  const terminal = nodeTerminal()
  const face: Face = { terminal, clock: nodeClock }
  const { front, args } = terminal
  try {
    if (front === 'sendmail' || front === 'mailq' || front === 'newaliases') {
      const implied = front === 'mailq' ? ['-bp'] : front === 'newaliases' ? ['-bi'] : []
      await runSendmail(face, [...implied, ...args])
    } else if (args[0] === 'sendmail') {
      // Its flags are older than any parser of options: it reads them itself.
      await runSendmail(face, args.slice(1))
    } else {
      await program(face).parseAsync([...args], { from: 'user' })
    }
  } catch (error) {
    const { exit, message } = failure(error)
    terminal.setExit(exit)
    if (message === undefined) return
    if (args.includes('--json')) terminal.out(json({ error: { message, exit } }))
    const name = front === 'postrider' ? front : `postrider ${front}`
    for (const line of printable(message, true).split('\n')) terminal.err(`${name}: ${line}\n`)
  }
}

await main()
