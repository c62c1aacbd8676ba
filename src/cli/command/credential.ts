/** `account app-password` and `account import`: what an account logs in with, but for its own password. */
import type { Command } from 'commander'
import { scopes as allScopes, type Scope } from '../../account/verifier.ts'
import { ExitError } from '../../server/exit-error.ts'
import type { ImportedAccount } from '../../server/operation.ts'
import { readText } from '../../world/node/config-file.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { formatTime, table } from '../print.ts'

export function addAppPasswords(account: Command, face: Face): void {
  const apps = account
    .command('app-password')
    .description('passwords for one program each, taken back alone')
  common(apps.command('add <address> <label>').description('make one; it is shown this once'))
    .option('--for <scopes>', 'what it may do, of smtp,imap,pop3', allScopes.join(','))
    .action(async (address: string, label: string, options: CommonOptions & { for: string }) => {
      const scopes = scopesIn(options.for)
      const made = await call(face, options, 'account.app-password.add', { address, label, scopes })
      print(
        face,
        options,
        made,
        ({ id, password }) =>
          `${address} ${label} (${id}) for ${scopes.join(', ')}\npassword: ${password}   (shown this once)\n`,
      )
    })
  common(apps.command('list <address>').description('list them, and when they were used')).action(
    async (address: string, options: CommonOptions) => {
      const { apps: listed } = await call(face, options, 'account.app-password.list', { address })
      print(face, options, listed, list =>
        table(
          ['ID', 'LABEL', 'FOR', 'SINCE', 'USED'],
          list.map(({ id, label, scopes, createdAt, usedAt }) => [
            ...[id, label, scopes.replaceAll(' ', ','), formatTime(createdAt)],
            usedAt === undefined ? 'never' : formatTime(usedAt),
          ]),
          'there are no app passwords',
        ),
      )
    },
  )
  common(apps.command('remove <address> <label-or-id>').description('take one back')).action(
    async (address: string, named: string, options: CommonOptions) => {
      await call(face, options, 'account.app-password.remove', { address, named })
      print(
        face,
        options,
        { address, named },
        () => `${address} has no app password ${named} any more\n`,
      )
    },
  )
}

function scopesIn(text: string): readonly Scope[] {
  const words = text.split(',').map(word => word.trim())
  const unknown = words.find(word => !allScopes.some(scope => scope === word))
  if (unknown !== undefined) {
    throw new ExitError(EXIT.usage, `"${unknown}" is none of ${allScopes.join(', ')}`)
  }
  return allScopes.filter(scope => words.includes(scope))
}

export function addImport(account: Command, face: Face): void {
  common(
    account
      .command('import <file>')
      .description(
        'add accounts with their hashes from a passwd-file of Dovecot: address:{SCHEME}hash; theirs until the next login',
      ),
  ).action(async (file: string, options: CommonOptions) => {
    const read = readText(file)
    if ('reason' in read) throw new ExitError(EXIT.noInput, `${file}: ${read.reason}`)
    const entries = entriesIn(read.text)
    const done = await call(face, options, 'account.import', { entries })
    print(face, options, done, ({ imported, refused }) =>
      [`${imported} imported`, ...refused.map(({ address, why }) => `${address}: ${why}`), ''].join(
        '\n',
      ),
    )
    if (done.refused.length > 0) throw new ExitError(EXIT.data, `${done.refused.length} refused`)
  })
}

/** `user:password:uid:gid:gecos:home:shell:extra`; empty lines and comments do not count. */
function entriesIn(text: string): readonly ImportedAccount[] {
  return text
    .split(/\r?\n/)
    .filter(line => line.trim() !== '' && !line.startsWith('#'))
    .map(line => {
      const [address = '', hash = ''] = line.split(':')
      return { address, hash }
    })
}
