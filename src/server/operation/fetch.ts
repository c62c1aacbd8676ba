/** The operation `fetch`: asks providers for our mail now (RFC 1985, RFC 2645). */
import { replyText } from '../../smtp/client/talk.ts'
import { ExitError } from '../exit-error.ts'
import type { Provider } from '../fetcher.ts'
import type { FetchRecord, OperationInput, OperationOutput } from '../operation.ts'
import type { ControlContext } from './context.ts'

export async function fetch(
  { fetcher, house }: ControlContext,
  { host, provider }: OperationInput<'fetch'>,
): Promise<OperationOutput<'fetch'>> {
  if (fetcher === undefined) {
    throw new ExitError(69, 'no server runs that could take the mail: start it first')
  }
  const providers =
    provider === undefined ? configured(house.settings().fetch, host) : [await read(provider)]
  const fetched = providers.map(async (one): Promise<FetchRecord> => {
    const { answers, exchanged, trouble } = await fetcher.fetch(one)
    return {
      host: one.host,
      answers: answers.map(({ asked, reply }) => ({ asked, said: replyText(reply) })),
      exchanged,
      ...(trouble === undefined ? {} : { trouble }),
    }
  })
  return { fetched: await Promise.all(fetched) }
}

function configured(all: readonly Provider[], host: string | undefined): readonly Provider[] {
  const found = host === undefined ? all : all.filter(one => one.host === host)
  if (found.length > 0) return found
  const which = host === undefined ? 'no provider' : `no provider ${host}`
  throw new ExitError(
    64,
    `${which} is in the config; write it under \`fetch\`, or say --atrn, --etrn or --turn`,
  )
}

/** As the config would have it; what validates it is loaded for it. */
async function read(provider: object): Promise<Provider> {
  const { fetchSchema } = await import('../settings/on-demand.ts')
  const parsed = fetchSchema.safeParse([provider])
  const [one] = parsed.data ?? []
  if (one !== undefined) return one
  const [issue] = parsed.error?.issues ?? []
  throw new ExitError(64, `${issue?.path.slice(1).join('.')} ${issue?.message}`.trim())
}
