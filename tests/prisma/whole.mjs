// Prisma's driver adapter for PostgreSQL, mended so that the schema engine in WebAssembly behaves like the native one
// that users run. MIG_TEST_PRISMA is the folder that holds node_modules.
import { createRequire } from 'node:module'

const require = createRequire(process.env.MIG_TEST_PRISMA + '/')
const { PrismaPg } = require('@prisma/adapter-pg')

// The engine leaves the 10 s timer of its lock running; each command would end 10 s late.
const { setTimeout } = globalThis
globalThis.setTimeout = (callback, delay, ...rest) => {
  const timer = setTimeout(callback, delay, ...rest)
  if (delay === 10000) timer.unref()
  return timer
}

// Types the adapter cannot read, and what it reads them as: "char", name, regclass, regtype are text.
const readAs = new Map([[18, 25], [19, 25], [2205, 25], [2206, 25], [1002, 1009], [1003, 1009]])

const open = new Set()

// In a process that goes on after a command: the engine would hold on to its session, and its lock, for those 10 s.
export async function closeAll() {
  for (const pool of open) await pool.end()
  open.clear()
}

export class Whole extends PrismaPg {
  async connect() {
    const connection = await super.connect()
    open.add(connection.underlyingDriver())

    // The adapter cuts a script at every semicolon, also inside $$; the native engine sends it as one simple query.
    connection.executeScript = async (script) => {
      try {
        await connection.underlyingDriver().query(script)
      } catch (error) {
        connection.onError(error)
      }
    }

    const performIO = connection.performIO.bind(connection)
    connection.performIO = async (query) => {
      // The adapter writes times without their zone; a script's SET timezone would move the rows that follow it.
      const argTypes = query.argTypes?.map((type) => (type?.scalarType === 'datetime' ? { ...type, scalarType: 'string' } : type))
      const result = await performIO({ ...query, argTypes })
      for (const field of result?.fields ?? []) field.dataTypeID = readAs.get(field.dataTypeID) ?? field.dataTypeID
      return result
    }
    return connection
  }
}

export default (connectionString) => new Whole({ connectionString, allowExitOnIdle: true })
