/**
 * All commands in one program of commander. A command is one file of command/; to add one is to
 * add a file and a row here. Loaded by main.ts unless `sendmail` was called.
 */
import { Command } from 'commander'
import { version } from '../server/version.ts'
import { addAccount } from './command/account.ts'
import { addAlias } from './command/alias.ts'
import { addBackup } from './command/backup.ts'
import { addBan } from './command/ban.ts'
import { addCheck } from './command/check.ts'
import { addDestinations } from './command/destinations.ts'
import { addDiagnose } from './command/diagnose.ts'
import { addDomain } from './command/domain.ts'
import { addExplain } from './command/explain.ts'
import { addFetch } from './command/fetch.ts'
import { addInit } from './command/init.ts'
import { addMigrateStore } from './command/migrate-store.ts'
import { addNodes } from './command/nodes.ts'
import { addQueue } from './command/queue.ts'
import { addRestore } from './command/restore.ts'
import { addSend } from './command/send.ts'
import { addStart } from './command/start.ts'
import { addStatus } from './command/status.ts'
import { addTrace } from './command/trace.ts'
import { addTrack } from './command/track.ts'
import { addUndelete } from './command/undelete.ts'
import type { AddCommand, Face } from './face.ts'

/** In the order of `postrider --help`. */
const COMMANDS: readonly AddCommand[] = [
  addStart,
  addInit,
  addCheck,
  addStatus,
  addDestinations,
  addBan,
  addNodes,
  addSend,
  addSendmail,
  addQueue,
  addFetch,
  addTrace,
  addTrack,
  addExplain,
  addDiagnose,
  addDomain,
  addAccount,
  addAlias,
  addUndelete,
  addBackup,
  addRestore,
  addMigrateStore,
]

/** The whole program; it throws `CommanderError` in place of ending the process. */
export function program(face: Face): Command {
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

/** For `--help` only: main.ts runs it before commander sees its flags, which are older than any parser. */
function addSendmail(root: Command): void {
  root
    .command('sendmail [recipient...]')
    .description('take a message on standard input, as programs expect (-t -f -F -i -bs -bp -q)')
}
