/** `nodes`: every server at work on the database, as the others see it. */
import type { Command } from 'commander'
import { call } from '../call.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { formatWhen, table } from '../print.ts'

export function addNodes(program: Command, face: Face): void {
  common(program.command('nodes').description('list the servers that share the database')).action(
    async (options: CommonOptions) => {
      const answer = await call(face, options, 'nodes', {})
      const now = face.clock.now()
      print(face, options, answer, ({ nodes, configsDiffer }) => {
        const rows = nodes.map(node => [
          node.host,
          String(node.pid),
          node.state,
          formatWhen(now - node.silentMs, now),
          formatWhen(node.startedAt, now),
          node.version,
          node.config,
        ])
        const heading = ['HOST', 'PID', 'STATE', 'SEEN', 'STARTED', 'VERSION', 'CONFIG']
        const warning = configsDiffer ? 'warning: the configs of these servers differ\n' : ''
        return table(heading, rows, 'no server runs') + warning
      })
    },
  )
}
