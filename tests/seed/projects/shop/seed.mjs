// Starts over: deletes everything, then creates it, and looks ids up by name.
await prisma.image.deleteMany()
await prisma.product.deleteMany()
await prisma.category.deleteMany()
await prisma.country.deleteMany()
await prisma.country.createMany({ data: [{ id: 'DE', name: 'Germany' }, { id: 'AT', name: 'Austria' }, { id: 'CI', name: "Côte d'Ivoire" }] })
await prisma.category.createMany({ data: [{ slug: 'clothes', name: 'Clothes' }, { slug: 'books', name: 'Books' }] })
const ids = Object.fromEntries((await prisma.category.findMany()).map((c) => [c.slug, c.id]))
await prisma.category.createMany({ data: [{ slug: 'shirts', name: 'Shirts', parentId: ids.clothes }] })
for (const c of await prisma.category.findMany()) ids[c.slug] = c.id
const products = [
  { slug: 'plain-shirt', title: 'Plain "shirt", blue', price: 19.9, sizes: ['S', 'M'], tags: ['new', 'a, b'], inStock: 7, type: 'shirts', images: ['a.jpg', 'b.jpg'] },
  { slug: 'sea-book', title: 'The Sea\nA Story', price: 5, sizes: [], tags: [], inStock: 0, type: 'books', images: ['sea.jpg'] },
]
for (const { images, type, ...data } of products) {
  const product = await prisma.product.create({ data: { ...data, categoryId: ids[type] } })
  await prisma.image.createMany({ data: images.map((url, position) => ({ url, position, productId: product.id })) })
}
