using Wunderproxy.Controller.Journaling;

namespace Wunderproxy.IntegrationTests.Journaling;

public sealed class JournalFileTests : IDisposable
{
    private static readonly OwnedImage Image = new(new string('a', 64), "registry/shop:1");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-journal");

    private string FilePath => Path.Combine(_folder.FullName, "journal");

    [Fact]
    public void Images_that_were_brought_here_are_known_after_both_slots_are_lost()
    {
        Write(new Journal { Images = [Image] }, new Journal { Images = [Image], Fence = 2 });
        File.Delete($"{FilePath}.a");
        File.WriteAllText($"{FilePath}.b", "torn");

        var found = JournalFile.Open(FilePath).Loaded;

        Assert.True(found.NeedsAdoption);
        Assert.Equal([Image], found.Images);
    }

    [Fact]
    public void Images_that_were_removed_since_are_not_known_any_more()
    {
        Write(new Journal { Images = [Image] }, new Journal());
        File.Delete($"{FilePath}.a");
        File.Delete($"{FilePath}.b");

        Assert.Empty(JournalFile.Open(FilePath).Loaded.Images);
    }

    [Theory]
    [InlineData("[{")]
    [InlineData("null")]
    [InlineData("")]
    public void Journal_begins_anew_where_the_list_of_images_is_lost_too(string content)
    {
        File.WriteAllText($"{FilePath}.images", content);

        Assert.Empty(JournalFile.Open(FilePath).Loaded.Images);
    }

    [Fact]
    public void List_of_images_is_written_only_when_it_has_changed()
    {
        var file = JournalFile.Open(FilePath);
        file.Save(new Journal { Images = [Image] });
        File.Delete($"{FilePath}.images");

        file.Save(new Journal { Images = [Image], Fence = 2 });
        Assert.False(File.Exists($"{FilePath}.images"));
        file.Save(new Journal());
        Assert.True(File.Exists($"{FilePath}.images"));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private void Write(params Journal[] journals)
    {
        var file = JournalFile.Open(FilePath);
        foreach (var journal in journals)
            file.Save(journal);
    }
}
