/** `account identity`: which addresses an account may write as, beside its own. */
import type { Command } from 'commander'
import type { IdentityRecord } from '../../server/operation.ts'
import { call } from '../call.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { table } from '../print.ts'

export function addIdentities(account: Command, face: Face): void {
  const identity = account
    .command('identity')
    .description('addresses that it may write as, beside those that lead to it')
  common(
    identity
      .command('add <address> <pattern>')
      .description('let it write as joe@example.org, @example.org or news-*@example.org'),
  )
    .option('--delegate', 'on behalf of: `Sender` then names the account')
    .action(
      async (
        address: string,
        pattern: string,
        options: CommonOptions & { readonly delegate?: boolean },
      ) => {
        const delegate = options.delegate === true
        const given = await call(face, options, 'account.identity.add', {
          address,
          pattern,
          delegate,
        })
        print(face, options, given, row => `${address} may write ${how(row)} ${row.pattern}\n`)
      },
    )
  common(
    identity.command('list <address>').description('list them, those of the config too'),
  ).action(async (address: string, options: CommonOptions) => {
    const { identities } = await call(face, options, 'account.identity.list', { address })
    print(face, options, identities, rows =>
      table(
        ['ADDRESSES', 'HOW', 'FROM'],
        rows.map(row => [
          ...[row.pattern, how(row)],
          row.origin === 'file' ? 'config file' : 'command',
        ]),
        `${address} writes as itself alone`,
      ),
    )
  })
  common(
    identity.command('remove <address> <pattern>').description('take one back, as it was given'),
  ).action(async (address: string, pattern: string, options: CommonOptions) => {
    const taken = await call(face, options, 'account.identity.remove', { address, pattern })
    print(face, options, taken, row => `${address} may not write as ${row.pattern} any more\n`)
  })
}

function how({ delegate }: IdentityRecord): string {
  return delegate ? 'on behalf of' : 'as'
}
