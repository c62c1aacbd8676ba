/** `restore`: a backup becomes the data folder of a server that does not run, every file proven. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { formatCount, formatSize } from '../../wire/measure.ts'
import { currentFolder } from '../../world/node/config-file.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { locate } from '../locate.ts'

export function addRestore(program: Command, face: Face): void {
  common(
    program
      .command('restore <backup>')
      .description('make a backup the data of a server that does not run; nothing is written over'),
  ).action(async (backup: string, options: CommonOptions) => {
    const settings = await locate(face, options)
    const { restoreData } = await import('../../server/restore-data.ts')
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
