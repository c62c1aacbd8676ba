/** `check`: is the config right, and does the database keep its word? */
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import { pemFaults } from '../../server/identity.ts'
import { describeRoutes } from '../../server/route-rules.ts'
import { formatSettingError, formatSettingErrors } from '../../server/settings/errors.ts'
import type { Settings } from '../../server/settings/settings.ts'
import { pathExists } from '../../world/node/config-file.ts'
import { ask, call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { locateEpoch } from '../locate.ts'
import { printable } from '../print.ts'

type CheckOptions = CommonOptions & { readonly configOnly?: boolean; readonly rehearse?: boolean }

export function addCheck(program: Command, face: Face): void {
  common(program.command('check').description('check the config and every invariant of the data'))
    .option('--config-only', 'only the config')
    .option('--rehearse', 'bring a copy of the database to this version, and check that')
    .action(async (options: CheckOptions) => {
      const { settings, warnings: warned } = await locateEpoch(face, options)
      if (options.rehearse === true) return rehearsal(face, options, settings)
      const faults = pemFaults(settings)
      // Whoever asks may not be who starts the server.
      const errors = faults.filter(({ denied }) => denied !== true)
      if (errors.length > 0) {
        throw new ExitError(EXIT.config, formatSettingErrors(errors), errors)
      }
      const warnings = [...warned, ...faults.map(formatSettingError)]
      const toldWarnings = warnings.map(warning => `warning: ${printable(warning)}\n`).join('')
      if (options.configOnly === true || !pathExists(settings.data)) {
        const note = options.configOnly === true ? '' : `; there is no data in ${settings.data} yet`
        const routes = describeRoutes(settings)
        print(face, options, { findings: [], checked: 0, warnings, routes }, () => {
          const told = routes.map(route => `${printable(route)}\n`).join('')
          return `${toldWarnings}${told}the config is right${note}\n`
        })
        return
      }
      const result = await call(face, options, 'check', {})
      print(face, options, { ...result, warnings }, ({ findings, checked }) => {
        const found = findings.map(({ severity, what, remedy }) => {
          const how = remedy === undefined ? '' : `; ${printable(remedy)}`
          return `${severity}: ${printable(what)}${how}\n`
        })
        const well = `all is well${checked > 0 ? `, ${checked} bodies in files among it` : ''}\n`
        return `${toldWarnings}${found.join('') || well}`
      })
      if (result.findings.some(finding => finding.severity === 'error')) {
        face.terminal.setExit(EXIT.data)
      }
    })
}

/** The upgrade tried out beside the server, whichever version runs. */
async function rehearsal(face: Face, options: CheckOptions, settings: Settings): Promise<void> {
  const { rehearseUpgrade } = await import('../../server/restore-data.ts')
  const copyOf = async (folder: string) =>
    (await ask(face, options, 'backup', { folder, bodies: false })) !== undefined
  const result = await rehearseUpgrade(settings, face.clock, copyOf)
  print(face, options, result, ({ from, to, migrationMs, findings }) => {
    const took = `${(migrationMs / 1000).toFixed(1)} s`
    const what =
      from === to ? `is of version ${to} already` : `goes from ${from} to ${to} in ${took}`
    const found = findings.map(
      ({ where, detail }) => `error: ${printable(`${where}: ${detail}`)}\n`,
    )
    const sound = found.length === 0 ? 'and all is well with the copy' : 'and the copy is not sound'
    return `the database ${what}, ${sound}\n${found.join('')}`
  })
  if (result.findings.length > 0) face.terminal.setExit(EXIT.data)
}
