/** `migrate-store`: everything from SQLite to PostgreSQL or back, verified; no server may run meanwhile. */
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import { pathExists } from '../../world/node/config-file.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { locate } from '../locate.ts'
import { table } from '../print.ts'

export function addMigrateStore(program: Command, face: Face): void {
  common(
    program
      .command('migrate-store')
      .description('move all data to another database, verified; the source stays as it is')
      .requiredOption('--to <where>', 'postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:FOLDER')
      .option('--from <database>', 'the PostgreSQL to move from, where no config names it'),
  ).action(async (options: CommonOptions & { to: string; from?: string }) => {
    const located = await locate(face, options)
    const settings = options.from === undefined ? located : { ...located, database: options.from }
    if (settings.database === undefined && !pathExists(settings.data)) {
      throw new ExitError(EXIT.noInput, `there is no data in ${settings.data}`)
    }
    const { moveStore } = await import('../../server/move-store.ts')
    const moved = await moveStore(settings, options.to)
    print(face, options, moved, ({ tables, bodies, to }) => {
      const rows = tables.map(({ table: name, rows: count, hash }) => [
        name,
        String(count),
        hash.slice(0, 16),
      ])
      const told = `${bodies} staged bodies; all is in ${to}, verified, and the source is as it was\n`
      const next = to.startsWith('postgres')
        ? 'next: write it as `database` into the config, then start\n'
        : `next: write data: '${to}' into the config, and no \`database\`, then start\n`
      return table(['TABLE', 'ROWS', 'SHA-256'], rows, 'no tables') + told + next
    })
  })
}
