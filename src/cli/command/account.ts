/** `account`: who has a mailbox and logs in. A password is asked for, read from a file, or made. */
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import type { QuotaRecord } from '../../server/operation.ts'
import { formatSize, parseSize } from '../../wire/measure.ts'
import { readText } from '../../world/node/config-file.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { readInput } from '../input.ts'
import { facts, formatTime, table } from '../print.ts'
import { addAppPasswords, addImport } from './credential.ts'
import { addIdentities } from './identity.ts'

interface PasswordOptions extends CommonOptions {
  readonly passwordFile?: string
  readonly ask?: boolean
}

interface QuotaOptions extends CommonOptions {
  readonly storage?: string
  readonly messages?: string
}

/** `none` is 0, `default` is null; undefined where nothing was said. */
function limitFrom(
  text: string | undefined,
  what: string,
  read: (text: string) => number | undefined,
): number | null | undefined {
  if (text === undefined) return undefined
  if (text === 'default') return null
  const limit = text === 'none' ? 0 : read(text)
  if (limit !== undefined) return limit
  throw new ExitError(EXIT.usage, `'${text}' is no limit: write ${what}, none or default`)
}

function showQuota(quota: QuotaRecord): string {
  const limit = (most: string | undefined, own: boolean) =>
    `${most ?? 'no limit'}${own ? '' : ' (by the config)'}`
  const { octets, messages, octetsMax, messagesMax, own } = quota
  const size = octetsMax === undefined ? undefined : formatSize(octetsMax)
  return facts([
    ['storage', `${formatSize(octets)} of ${limit(size, own.octets)}`],
    ['messages', `${messages} of ${limit(messagesMax?.toString(), own.messages)}`],
  ])
}

export function addAccount(program: Command, face: Face): void {
  const account = program.command('account').description('accounts: mailboxes and logins')
  addPasswordCommands(account, face)
  addAppPasswords(account, face)
  addImport(account, face)
  addIdentities(account, face)
  common(account.command('list [domain]').description('list accounts')).action(
    async (domain: string | undefined, options: CommonOptions) => {
      const { accounts } = await call(face, options, 'account.list', domain ? { domain } : {})
      print(face, options, accounts, list =>
        table(
          ['ADDRESS', 'STATE', 'SINCE'],
          list.map(row => [
            row.address,
            row.disabled ? 'disabled' : 'enabled',
            formatTime(row.createdAt),
          ]),
          'there are no accounts',
        ),
      )
    },
  )
  common(account.command('quota <address>').description('show or set how much it may hold'))
    .option(
      '--storage <size>',
      'octets, such as 2GB; `none`, or `default` for what the config says',
    )
    .option('--messages <count>', 'messages; `none`, or `default`')
    .action(async (address: string, options: QuotaOptions) => {
      const octets = limitFrom(options.storage, 'a size such as 2GB', parseSize)
      const messages = limitFrom(options.messages, 'a number', text =>
        /^\d{1,9}$/.test(text) ? Number(text) : undefined,
      )
      const given = {
        ...(octets !== undefined && { octets }),
        ...(messages !== undefined && { messages }),
      }
      const quota = await call(face, options, 'account.quota', { address, ...given })
      print(face, options, quota, showQuota)
    })
  for (const [verb, done, what] of [
    ['disable', 'disabled', 'stop its logins; who writes to it is told to try again later (450)'],
    ['enable', 'enabled', 'let it log in again'],
  ] as const) {
    common(account.command(`${verb} <address>`).description(what)).action(
      async (address: string, options: CommonOptions) => {
        await call(face, options, `account.${verb}`, { address })
        print(face, options, { address }, () => `${address} is ${done}\n`)
      },
    )
  }
  common(account.command('remove <address>').description('remove it for good'))
    .option('--with-mail', 'and the mail in its mailbox')
    .action(async (address: string, options: CommonOptions & { withMail?: boolean }) => {
      const withMail = options.withMail === true
      await call(face, options, 'account.remove', { address, withMail })
      print(face, options, { address }, () => `${address} is removed\n`)
    })
}

function addPasswordCommands(account: Command, face: Face): void {
  for (const [verb, what, done] of [
    ['add', 'add an account', 'is added, with this password'],
    ['password', 'give it a new password', 'has its new password'],
  ] as const) {
    common(account.command(`${verb} <address>`).description(what))
      .option('--password-file <file>', 'read the password from a file (- is standard input)')
      .option('--ask', 'ask for the password; without either one is made up and shown once')
      .action(async (address: string, options: PasswordOptions) => {
        const password = await passwordFrom(face, options)
        const input = { address, ...(password !== undefined && { password }) }
        const made = await call(face, options, `account.${verb}`, input)
        print(face, options, made, value =>
          value.password === undefined
            ? `${value.address} ${done}\n`
            : `${value.address}\npassword: ${value.password}   (shown this once)\n`,
        )
      })
  }
}

/** The password a person gave; undefined where one is to be made. Never from an argument: `ps` shows those. */
export async function passwordFrom(
  face: Face,
  options: { readonly passwordFile?: string; readonly ask?: boolean },
): Promise<string | undefined> {
  if (options.passwordFile === '-') {
    const octets = await readInput(face, 64 * 1024)
    return notEmpty(octets.toString('utf8').replace(/\r?\n$/, ''))
  }
  if (options.passwordFile !== undefined) {
    const read = readText(options.passwordFile)
    if ('reason' in read) {
      throw new ExitError(EXIT.noInput, `${options.passwordFile}: ${read.reason}`)
    }
    return notEmpty(read.text.replace(/\r?\n$/, ''))
  }
  if (options.ask !== true) return undefined
  const password = await face.terminal.ask('Password: ', true)
  if (face.terminal.interactive && (await face.terminal.ask('Again: ', true)) !== password) {
    throw new ExitError(EXIT.data, 'the two passwords differ')
  }
  return notEmpty(password)
}

function notEmpty(password: string): string {
  if (password === '') throw new ExitError(EXIT.data, 'the password is empty')
  return password
}
