Console.WriteLine("wunderproxy");
