/** `start`: becomes the server. What it prints and how it ends is server/start.ts. */
import { type Command, Option } from 'commander'
import { judgeInWaiting } from '../../server/settings/judge-aside.ts'
import { type Face, path } from '../face.ts'

interface StartFlags {
  readonly demo?: boolean
  readonly data?: string
  readonly config?: string
  readonly ports?: 'auto'
  readonly smarthost?: string
  readonly set?: string[]
  readonly user?: string
  readonly json?: boolean
}

export function addStart(program: Command, face: Face): void {
  program
    .command('start')
    .description('start the server, in the foreground')
    .option('--demo', 'a ready demo: its own domain, two accounts, unprivileged ports on loopback')
    .option('--data <folder>', 'the data folder', path)
    .option('--config <file>', 'the config file; else postrider.config.* of this folder', path)
    .addOption(new Option('--ports <how>', 'auto: free ports on 127.0.0.1').choices(['auto']))
    .option('--smarthost <host:port>', 'send all outgoing mail by this host')
    .option(
      '--set <path=value>',
      'override a setting; may be repeated',
      (assignment: string, all?: string[]) => [...(all ?? []), assignment],
    )
    .option('--user <name>', 'the user to become after binding, when started as root')
    .option('--json', 'print one line of JSON when ready')
    .action(async (flags: StartFlags) => {
      const judge = judgeInWaiting()
      const { start } = await import('../../server/start.ts')
      const options = {
        demo: flags.demo === true,
        data: flags.data,
        ports: flags.ports,
        smarthost: flags.smarthost,
        set: flags.set ?? [],
        config: flags.config,
        user: flags.user,
        json: flags.json === true,
      }
      await start(options, { judge, hungUp: face.hungUp })
    })
}
