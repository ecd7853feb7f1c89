// A catalog of permissions, roles that have some of them, and the first administrator; all of it can run again.
const catalog = [
  ['read', 'Order', 'See orders'],
  ['write', 'Order', 'Change orders'],
  ['read', 'Report', null],
]
for (const [action, subject, description] of catalog)
  await prisma.permission.upsert({
    where: { action_subject: { action, subject } },
    update: { description },
    create: { action, subject, description },
  })
const [owner, clerk] = await Promise.all(
  ['owner', 'clerk'].map((name) => prisma.role.upsert({ where: { name }, update: {}, create: { name, description: `The ${name}` } })),
)
for (const permission of await prisma.permission.findMany()) {
  const grant = (role) => {
    const ids = { roleId: role.id, permissionId: permission.id }
    return prisma.rolePermission.upsert({ where: { roleId_permissionId: ids }, update: {}, create: ids })
  }
  await grant(owner)
  if (permission.action === 'read') await grant(clerk)
}
const email = process.env.ADMIN_EMAIL ?? 'root@example.com'
if (!process.env.ADMIN_HASH) throw new Error('ADMIN_HASH must be set')
const user = await prisma.user.upsert({
  where: { email },
  update: {},
  create: { email, name: 'Root', passwordHash: process.env.ADMIN_HASH, type: 'INTERNAL' },
})
const ids = { userId: user.id, roleId: owner.id }
await prisma.userRole.upsert({ where: { userId_roleId: ids }, update: {}, create: ids })
