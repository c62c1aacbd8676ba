/** `backup`: a consistent copy of all state, taken while the server works. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { formatCount, formatSize } from '../../wire/measure.ts'
import { currentFolder } from '../../world/node/config-file.ts'
import { call } from '../call.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'

export function addBackup(program: Command, face: Face): void {
  common(
    program.command('backup <folder>').description('copy all state to a new or empty folder'),
  ).action(async (folder: string, options: CommonOptions) => {
    const absolute = resolve(currentFolder(), folder)
    const made = await call(face, options, 'backup', { folder: absolute })
    print(
      face,
      options,
      made,
      value =>
        `${formatCount(value.files, 'file')}, ${formatSize(value.sizeOctets)} in ${value.folder}\n` +
        `to restore it: postrider restore ${value.folder} --data <folder>\n`,
    )
  })
}
