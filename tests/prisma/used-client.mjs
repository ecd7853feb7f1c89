// 200 statements and more of an application with four models, each of which has five columns that it uses and five that it does
// not; some of the unused ones have the name of a column that is used in another model.
const some = { where: { email: { contains: 'a' } }, orderBy: { city: 'asc' }, select: { id: true, rank: true } }

for (let i = 0; i < 3; i++)
  await prisma.user.create({ data: { email: `u${i}@example.com`, city: 'Ulm', rank: i }, select: { id: true } })
for (let i = 1; i <= 3; i++) {
  await prisma.post.create({ data: { title: `t${i}`, score: i, slug: `s${i}`, userId: i }, select: { id: true } })
  await prisma.comment.create({ data: { text: `c${i}`, likes: i, kind: 'k', postId: i }, select: { id: true } })
  await prisma.label.create({ data: { word: `w${i}`, color: 'red', weight: i, shade: 'x' }, select: { id: true } })
}
for (let take = 1; take <= 20; take++) {
  await prisma.user.findMany({ ...some, take, skip: take })
  await prisma.post.findMany({ where: { score: { in: Array.from({ length: take }, (_, n) => n) } }, select: { title: true } })
}
const by = [{ id: 'asc' }, { id: 'desc' }]
for (const orderBy of by)
  for (const n of [1, 2, 3, 4, 5, 6]) {
    const OR = Array.from({ length: n }, (_, k) => ({ id: k }))
    await prisma.user.findMany({ where: { OR, rank: n }, orderBy, select: { id: true } })
    await prisma.user.findMany({ where: { posts: { some: { OR } } }, orderBy, select: { city: true } })
    await prisma.user.findMany({ where: { posts: { none: { OR, title: 'x' } } }, orderBy, select: { id: true } })
    await prisma.user.findMany({ where: { OR }, orderBy, select: { id: true, posts: { select: { id: true, title: true }, where: { OR } } } })
    await prisma.post.findMany({ where: { user: { OR, city: 'Ulm' } }, orderBy, select: { id: true, slug: true } })
    await prisma.post.findMany({ where: { comments: { every: { OR, likes: 1 } } }, orderBy: { user: { city: 'asc' } }, select: { id: true } })
    await prisma.comment.findMany({ where: { OR, post: { user: { rank: 1 } } }, orderBy, select: { id: true, text: true } })
    await prisma.comment.findMany({ where: { OR }, orderBy: { post: { score: 'asc' } }, select: { id: true, kind: true } })
    await prisma.label.findMany({ where: { OR, NOT: { color: 'red' } }, orderBy, select: { id: true, word: true } })
    await prisma.label.findFirst({ where: { OR, shade: { startsWith: 'x' } }, orderBy, select: { id: true } })
    await prisma.user.count({ where: { OR, comments: { some: { OR } } } })
    await prisma.post.aggregate({ where: { OR }, _sum: { score: true }, _max: { title: true } })
    await prisma.label.groupBy({ by: ['color'], where: { OR }, _avg: { weight: true }, orderBy: { color: 'asc' } })
    await prisma.user.updateMany({ where: { OR }, data: orderBy.id === 'asc' ? { rank: 1 } : { city: 'Bonn', rank: 2 } })
    await prisma.label.deleteMany({ where: { OR: [...OR.map(({ id }) => ({ id: 1000 + id })), { weight: 1000 }] } })
    await prisma.comment.updateMany({ where: { OR }, data: { likes: { increment: 1 } } })
    await prisma.user.findMany({ where: { OR }, orderBy, select: { id: true, _count: { select: { posts: true } } } })
    await prisma.label.findMany({ where: { OR }, distinct: ['shade'], orderBy, select: { shade: true } })
  }
await prisma.label.upsert({ where: { word: 'w1' }, update: { color: 'blue' }, create: { word: 'w1', color: 'x', weight: 1, shade: 'y' }, select: { id: true } })
await prisma.label.createMany({ data: [{ word: 'a', color: 'x', weight: 1, shade: 'y' }, { word: 'b', color: 'x', weight: 2, shade: 'y' }] })
await prisma.user.update({ where: { id: 1 }, data: { email: 'x@example.com', posts: { create: { title: 'n', score: 1, slug: 'n' } } }, select: { id: true } })
await prisma.comment.delete({ where: { id: 3 }, select: { id: true } })
