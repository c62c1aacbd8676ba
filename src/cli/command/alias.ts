/** `alias`: an address whose mail goes to one or many others, here or elsewhere. */
import type { Command } from 'commander'
import { call } from '../call.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { table } from '../print.ts'

export function addAlias(program: Command, face: Face): void {
  const alias = program.command('alias').description('aliases: addresses that stand for others')
  common(alias.command('add <address> <target...>').description('add targets to an alias')).action(
    async (address: string, targets: string[], options: CommonOptions) => {
      await call(face, options, 'alias.add', { address, targets })
      print(face, options, { address, targets }, () => `${address} -> ${targets.join(', ')}\n`)
    },
  )
  common(alias.command('list [domain]').description('list aliases')).action(
    async (domain: string | undefined, options: CommonOptions) => {
      const { aliases } = await call(face, options, 'alias.list', domain ? { domain } : {})
      print(face, options, aliases, list =>
        table(
          ['ALIAS', 'TARGETS', 'FROM'],
          list.map(row => [
            row.address,
            row.targets.join(', '),
            row.origin === 'file' ? 'config file' : 'command',
          ]),
          'there are no aliases',
        ),
      )
    },
  )
  common(
    alias.command('remove <address> [target...]').description('remove targets, or all of it'),
  ).action(async (address: string, targets: string[], options: CommonOptions) => {
    const input = targets.length > 0 ? { address, targets } : { address }
    await call(face, options, 'alias.remove', input)
    print(face, options, input, () =>
      targets.length > 0
        ? `${address} no longer goes to ${targets.join(', ')}\n`
        : `${address} is removed\n`,
    )
  })
}
