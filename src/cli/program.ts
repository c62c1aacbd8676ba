/**
 * All commands in one program of commander. A command is one file of command/; to add one is to
 * add a file and a row here. Loaded by main.ts unless `sendmail` was called.
 */
import { Command } from 'commander'
import { version } from '../server/version.ts'
import type { AddCommand, Face } from './face.ts'

/** In the order of `postrider --help`. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  start: async () => (await import('./command/start.ts')).addStart,
  init: async () => (await import('./command/init.ts')).addInit,
  check: async () => (await import('./command/check.ts')).addCheck,
  status: async () => (await import('./command/status.ts')).addStatus,
  destinations: async () => (await import('./command/destinations.ts')).addDestinations,
  ban: async () => (await import('./command/ban.ts')).addBan,
  nodes: async () => (await import('./command/nodes.ts')).addNodes,
  send: async () => (await import('./command/send.ts')).addSend,
  sendmail: async () => addSendmail,
  queue: async () => (await import('./command/queue.ts')).addQueue,
  fetch: async () => (await import('./command/fetch.ts')).addFetch,
  trace: async () => (await import('./command/trace.ts')).addTrace,
  track: async () => (await import('./command/track.ts')).addTrack,
  explain: async () => (await import('./command/explain.ts')).addExplain,
  diagnose: async () => (await import('./command/diagnose.ts')).addDiagnose,
  domain: async () => (await import('./command/domain.ts')).addDomain,
  account: async () => (await import('./command/account.ts')).addAccount,
  alias: async () => (await import('./command/alias.ts')).addAlias,
  undelete: async () => (await import('./command/undelete.ts')).addUndelete,
  backup: async () => (await import('./command/backup.ts')).addBackup,
  restore: async () => (await import('./command/restore.ts')).addRestore,
  'migrate-store': async () => (await import('./command/migrate-store.ts')).addMigrateStore,
}

/** As commander calls it: no command is needed to say it. */
const VERSION = ['-V', '--version']

/**
 * The program of the command that is called, or the whole one where none is: `start` becomes a server,
 * and holds for ever what it has loaded. It throws `CommanderError` in place of ending the process.
 */
export async function program(face: Face, called = ''): Promise<Command> {
  const root = new Command('postrider')
    .description('The whole of email in one process.')
    .version(version())
    .configureHelp({ showGlobalOptions: false })
  const one = Object.hasOwn(COMMANDS, called) ? COMMANDS[called] : undefined
  const wanted = one === undefined ? Object.values(COMMANDS) : [one]
  for (const load of VERSION.includes(called) ? [] : wanted) (await load())(root, face)
  return exitByThrowing(root, face)
}

/** 'postrider queue retry'. */
function wholeName(command: Command): string {
  return command.parent === null ? command.name() : `${wholeName(command.parent)} ${command.name()}`
}

/** commander would end the process itself; it throws, so that one place decides. */
function exitByThrowing(command: Command, face: Face): Command {
  const more = command.parent === null ? 'lists what there is' : 'says more'
  command.exitOverride()
  command.showHelpAfterError(`(${wholeName(command)} --help ${more})`)
  command.configureOutput({
    writeOut: text => face.terminal.out(text),
    writeErr: text => face.terminal.err(text),
    // As all that goes wrong is told.
    outputError: (text, write) => write(text.replace(/^error: /, 'postrider: ')),
  })
  for (const inner of command.commands) exitByThrowing(inner, face)
  return command
}

const SENDMAIL_FLAGS = `Flags, as programs have always given them; others are taken without a word:
  -t               recipients are those of To, Cc and Bcc
  -i, -oi          a line with a dot alone is part of the message
  -f <address>     the envelope sender; '' or <> is the null one
  -F <name>        the sender's full name, where the message has no From
  -N <when>        notices that are wanted: never, or of success, failure, delay
  -R <what>        what a notice returns: full or hdrs
  -V <id>          the envelope id that notices name
  -v               print what was said
  -bm              send a message (as without it)
  -bs              speak SMTP on standard input and output
  -bv              say of each recipient whether mail for it would be taken
  -bp              list the queue, as mailq does
  -bi, -I          nothing, as newaliases does
  -q               try the whole queue now
  --data <folder>  the data folder of the server
  --               what follows are recipients
`

/** For `--help` only: main.ts runs it before commander sees its flags, which are older than any parser. */
function addSendmail(root: Command): void {
  root
    .command('sendmail [recipient...]')
    .description('take a message on standard input, as programs expect')
    .addHelpText('after', `\n${SENDMAIL_FLAGS}`)
}
