/** The HTTP face of what the command line may ask: `POST /<operation>` with the input as JSON, on a socket of mode 0600. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { StoreError } from '../store/store.ts'
import { operations } from './control.ts'
import { ExitError } from './exit-error.ts'
import type { ControlContext } from './operation/context.ts'
import type { OperationAnswer } from './operation.ts'
import { STORE_EXIT } from './store-exit.ts'

/** What nobody foresaw (sysexits: EX_SOFTWARE). */
const BUG = 70

/** Of an operation: a list of accounts to import may be long. */
const INPUT_MAX_OCTETS = 64 * 1024 * 1024

export function controlApp(context: ControlContext): Hono {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: INPUT_MAX_OCTETS }))
  app.post('/:operation', async c => {
    const name = c.req.param('operation')
    if (!Object.hasOwn(operations, name)) {
      return c.json(refusal(69, `this server does not know ${name}: is it of another version?`))
    }
    try {
      const operation = operations[name as keyof typeof operations] as (
        context: ControlContext,
        input: unknown,
      ) => Promise<unknown>
      return c.json({ ok: true, value: await operation(context, await c.req.json()) })
    } catch (error) {
      if (error instanceof ExitError) return c.json(refusal(error.exit, error.message))
      context.world.log.error('control.failed', { operation: name, error: String(error) })
      const exit = error instanceof StoreError ? (STORE_EXIT[error.reason] ?? BUG) : BUG
      return c.json(refusal(exit, error instanceof Error ? error.message : String(error)))
    }
  })
  return app
}

function refusal(exit: number, message: string): OperationAnswer<never> {
  return { ok: false, error: { exit, message } }
}
