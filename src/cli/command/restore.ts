/**
 * `restore`: a backup becomes the data folder of a server that does not run, every file proven. Without one: what
 * PostgreSQL's own means have brought back goes on above what was given out since.
 */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { formatCount, formatSize } from '../../wire/measure.ts'
import { currentFolder } from '../../world/node/config-file.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { locate } from '../locate.ts'

export function addRestore(program: Command, face: Face): void {
  common(
    program
      .command('restore [backup]')
      .description(
        'make a backup the data of a server that does not run; nothing is written over. Without one: behind pg_restore',
      ),
  ).action(async (backup: string | undefined, options: CommonOptions) => {
    const settings = await locate(face, options)
    const { leapDatabase, restoreData } = await import('../../server/restore-data.ts')
    if (backup === undefined) {
      const leapt = { mailboxes: await leapDatabase(settings) }
      print(
        face,
        options,
        leapt,
        ({ mailboxes }) =>
          `UIDs and MODSEQs of ${formatCount(mailboxes, 'folder')} go on above all that may have been given out\n`,
      )
      return
    }
    const from = resolve(currentFolder(), backup)
    const restored = await restoreData(settings, from, face.clock)
    print(
      face,
      options,
      restored,
      ({ files, sizeOctets, data }) =>
        `${formatCount(files, 'file')}, ${formatSize(sizeOctets)}, all as they were backed up, are in ${data}\n`,
    )
  })
}
