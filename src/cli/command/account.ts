/** `account`: who has a mailbox and logs in. A password is asked for, read from a file, or made. */
import type { Command } from 'commander'
import { readText } from '../../world/node/config-file.ts'
import { call } from '../call.ts'
import { CommandError, EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { formatTime, table } from '../print.ts'

interface PasswordOptions extends CommonOptions {
  readonly passwordFile?: string
  readonly ask?: boolean
}

export function addAccount(program: Command, face: Face): void {
  const account = program.command('account').description('accounts: mailboxes and logins')
  addPasswordCommands(account, face)
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
        ),
      )
    },
  )
  for (const [verb, done, what] of [
    ['disable', 'disabled', 'stop its logins; its mail still arrives'],
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
  for (const [verb, what] of [
    ['add', 'add an account'],
    ['password', 'give it a new password'],
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
            ? `${value.address} has its new password\n`
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
    const octets = await face.terminal.input(64 * 1024)
    return notEmpty(octets.toString('utf8').replace(/\r?\n$/, ''))
  }
  if (options.passwordFile !== undefined) {
    const read = readText(options.passwordFile)
    if ('reason' in read) {
      throw new CommandError(EXIT.noInput, `${options.passwordFile}: ${read.reason}`)
    }
    return notEmpty(read.text.replace(/\r?\n$/, ''))
  }
  if (options.ask !== true) return undefined
  const password = await face.terminal.ask('Password: ', true)
  if (face.terminal.interactive && (await face.terminal.ask('Again: ', true)) !== password) {
    throw new CommandError(EXIT.data, 'the two passwords differ')
  }
  return notEmpty(password)
}

function notEmpty(password: string): string {
  if (password === '') throw new CommandError(EXIT.data, 'the password is empty')
  return password
}
