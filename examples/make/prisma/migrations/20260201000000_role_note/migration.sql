-- AlterTable
ALTER TABLE "Role" ADD COLUMN "note" TEXT;
