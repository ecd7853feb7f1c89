SELECT * FROM "Country" ORDER BY 1;
SELECT c.slug, c.name, p.slug, length(c.id) FROM "Category" c LEFT JOIN "Category" p ON p.id = c."parentId" ORDER BY 1;
SELECT p.slug, title, price, sizes, tags, "inStock", c.slug, length(p.id), "createdAt" IS NOT NULL FROM "Product" p JOIN "Category" c ON c.id = "categoryId" ORDER BY 1;
SELECT p.slug, position, url FROM "Image" i JOIN "Product" p ON p.id = "productId" ORDER BY 1, 2;
