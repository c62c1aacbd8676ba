/** `domain`: what comes behind the @ of the addresses that live here. */
import type { Command } from 'commander'
import { call } from '../call.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { table } from '../print.ts'

export function addDomain(program: Command, face: Face): void {
  const domain = program.command('domain').description('domains we take mail for')
  common(domain.command('add <name>').description('take mail for a domain'))
    .option('--catch-all <address>', 'who takes what no other address takes')
    .action(async (name: string, options: CommonOptions & { catchAll?: string }) => {
      const { catchAll } = options
      await call(face, options, 'domain.add', { name, ...(catchAll !== undefined && { catchAll }) })
      print(
        face,
        options,
        { name },
        () => `${name} is taken; next: postrider account add you@${name}\n`,
      )
    })
  common(domain.command('list').description('list domains')).action(
    async (options: CommonOptions) => {
      const { domains } = await call(face, options, 'domain.list', {})
      print(face, options, domains, list =>
        table(
          ['DOMAIN', 'CATCH-ALL', 'FROM'],
          list.map(row => [
            row.name,
            row.catchAll ?? '-',
            row.origin === 'file' ? 'config file' : 'command',
          ]),
          'there are no domains',
        ),
      )
    },
  )
  common(domain.command('remove <name>').description('no longer take mail for a domain')).action(
    async (name: string, options: CommonOptions) => {
      await call(face, options, 'domain.remove', { name })
      print(face, options, { name }, () => `${name} is removed\n`)
    },
  )
}
