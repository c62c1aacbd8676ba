/** `check`: is the config right, and does the database keep its word? */
import type { Command } from 'commander'
import { describeRoutes } from '../../server/route-rules.ts'
import { pathExists } from '../../world/node/config-file.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { locateEpoch } from '../locate.ts'
import { printable } from '../print.ts'

export function addCheck(program: Command, face: Face): void {
  common(program.command('check').description('check the config and every invariant of the data'))
    .option('--config-only', 'only the config')
    .action(async (options: CommonOptions & { configOnly?: boolean }) => {
      const { settings, warnings } = await locateEpoch(face, options)
      if (options.configOnly === true || !pathExists(settings.data)) {
        const note = options.configOnly === true ? '' : `; there is no data in ${settings.data} yet`
        const routes = describeRoutes(settings)
        print(face, options, { findings: [], checked: 0, warnings, routes }, () => {
          const warned = warnings.map(warning => `warning: ${printable(warning)}\n`).join('')
          const told = routes.map(route => `${printable(route)}\n`).join('')
          return `${warned}${told}the config is right${note}\n`
        })
        return
      }
      const result = await call(face, options, 'check', {})
      print(face, options, result, ({ findings, checked }) =>
        findings.length === 0
          ? `all is well${checked > 0 ? ` (${checked} checks)` : ''}\n`
          : findings
              .map(finding => {
                const remedy = finding.remedy === undefined ? '' : `; ${printable(finding.remedy)}`
                return `${finding.severity}: ${printable(finding.what)}${remedy}\n`
              })
              .join(''),
      )
      if (result.findings.some(finding => finding.severity === 'error')) {
        face.terminal.setExit(EXIT.data)
      }
    })
}
