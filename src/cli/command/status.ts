/** `status`: is it running, since when, where does it listen, how much waits. */
import type { Command } from 'commander'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { facts, formatTime } from '../print.ts'

export function addStatus(program: Command, face: Face): void {
  common(program.command('status').description('is the server running, and how is it')).action(
    async (options: CommonOptions) => {
      const status = await call(face, options, 'status', {})
      print(face, options, status, value =>
        facts([
          ['server', value.running ? `running, process ${value.pid}` : 'not running'],
          ['version', value.version || undefined],
          // Of data that nobody serves, no config says what its server is called.
          [
            'name',
            value.running || nameKnown(options, value.hostname) ? value.hostname : undefined,
          ],
          ['data', value.data],
          ['since', value.running ? formatTime(value.startedAt) : undefined],
          ['config', value.epoch || undefined],
          [
            'listeners',
            Object.entries(value.listeners)
              .map(([name, where]) => `${name} ${where}`)
              .join(', ') || undefined,
          ],
          ['queued', String(value.queued)],
          ['held', String(value.held)],
        ]),
      )
      if (!status.running) face.terminal.setExit(EXIT.unavailable)
    },
  )
}

function nameKnown({ data, config }: CommonOptions, hostname: string): boolean {
  return hostname !== 'localhost' && (data === undefined || config !== undefined)
}
