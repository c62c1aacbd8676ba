/** `trace`: what happened to one message, from the first octet to the last outcome. */
import type { Command } from 'commander'
import { call } from '../call.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { showMessage } from '../show.ts'

export function addTrace(program: Command, face: Face): void {
  common(program.command('trace <id>').description('what happened to a message')).action(
    async (id: string, options: CommonOptions) => {
      const record = await call(face, options, 'trace', { id })
      print(face, options, record, value => showMessage(value, face.clock.now()))
    },
  )
}
